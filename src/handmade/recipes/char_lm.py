"""The recurrent language models of characters, on running text and on names."""

from dataclasses import dataclass

from handmade.models import ZOO
from handmade.models.char_lm import RecurrentLM
from handmade.tasks.language.task import LanguageRecipe


@dataclass(frozen=True, kw_only=True)
class CharRecipe(LanguageRecipe):
    """hidden_size, num_layers, embedding_dim: of the network, models/char_lm.py."""

    hidden_size: int = 256
    num_layers: int = 2
    embedding_dim: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "hidden_size", "num_layers", "embedding_dim")

    def build(self, vocab_size: int) -> RecurrentLM:
        model = ZOO[self.model].build(vocab_size, self.hidden_size, self.num_layers, self.embedding_dim)
        assert isinstance(model, RecurrentLM)
        return model


def _shakespeare(model: str, learning_rate: float) -> CharRecipe:
    return CharRecipe(model=model, data="shakespeare", epochs=2, batch_size=32, learning_rate=learning_rate)


CHAR_RNN = _shakespeare("char-rnn", 1e-3)
CHAR_LSTM = _shakespeare("char-lstm", 3e-3)
CHAR_GRU = _shakespeare("char-gru", 2e-3)
NAMES_GRU = CharRecipe(
    model="names-gru",
    data="names",
    epochs=8,
    batch_size=32,
    learning_rate=3e-3,
    **{name: size for name, size in ZOO["names-gru"].arguments if name != "vocab_size"},
)
RECIPES = (CHAR_RNN, CHAR_LSTM, CHAR_GRU, NAMES_GRU)
