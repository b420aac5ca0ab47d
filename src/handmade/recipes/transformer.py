"""The Transformer on pairs of texts. Its sizes are for dates, the default; sentences need more:

data=parallel:train.de,train.en test=val.de,val.en epochs=20
num_layers=3 dim_feedforward=512 dropout=0.2 label_smoothing=0.1
"""

from dataclasses import dataclass

from handmade.errors import InputError
from handmade.models.transformer import Transformer
from handmade.nn import Module
from handmade.optim import Adam
from handmade.tasks.translation.task import TranslationRecipe


@dataclass(frozen=True, kw_only=True)
class TransformerRecipe(TranslationRecipe):
    """The network of models/transformer.py.

    d_model: its width. num_heads: heads of each attention. num_layers: of encoder and decoder each.
    dim_feedforward: width of the inner layers. dropout: the probability that a number is dropped in training.
    norm_first: norms before attention and feed-forward, not after them as in the paper.
    """

    d_model: int = 256
    num_heads: int = 4
    num_layers: int = 3
    dim_feedforward: int = 1024
    dropout: float = 0.1
    norm_first: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "d_model", "num_heads", "num_layers", "dim_feedforward")
        self.at_least(0, "dropout")
        if self.dropout >= 1:
            raise InputError(f"dropout is {self.dropout}, expected a probability below 1.")
        if self.d_model % self.num_heads:
            raise InputError(
                f"num_heads is {self.num_heads}, which does not divide d_model = {self.d_model}; heads share it."
            )

    def build(self, vocab_size: int) -> Transformer:
        sizes = self.d_model, self.num_heads, self.num_layers, self.dim_feedforward
        return Transformer(vocab_size, *sizes, self.dropout, self.norm_first)

    def make_optimizer(self, model: Module) -> Adam:
        """Adam with the paper's moments (section 5.3)."""
        return Adam(model.parameters(), self.learning_rate, betas=(0.9, 0.98), eps=1e-9)


TRANSFORMER = TransformerRecipe(
    model="transformer",
    data="dates",
    epochs=6,
    batch_size=2000,
    learning_rate=2e-3,
    d_model=128,
    num_layers=2,
    dim_feedforward=256,
    dropout=0.0,
)
RECIPES = (TRANSFORMER,)
