"""The recurrent sequence-to-sequence models, with and without attention; trained on dates by default."""

from dataclasses import dataclass
from typing import Literal

from handmade.errors import InputError
from handmade.models.seq2seq import RecurrentSeq2Seq, seq2seq, seq2seq_attention
from handmade.tasks.translation.task import TranslationRecipe


@dataclass(frozen=True, kw_only=True)
class Seq2SeqRecipe(TranslationRecipe):
    """embedding_dim, hidden_size, num_layers, dropout: of the network; see models/seq2seq.py."""

    embedding_dim: int = 32
    hidden_size: int = 128
    num_layers: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "embedding_dim", "hidden_size", "num_layers")
        self.at_least(0, "dropout")
        if self.dropout >= 1:
            raise InputError(f"dropout is {self.dropout}, expected a probability below 1.")

    def build(self, vocab_size: int) -> RecurrentSeq2Seq:
        return seq2seq(vocab_size, self.embedding_dim, self.hidden_size, self.num_layers, self.dropout)


@dataclass(frozen=True, kw_only=True)
class AttentionRecipe(Seq2SeqRecipe):
    """attention: Luong's dot, general or concat; or additive, Bahdanau's network, which takes longer a step."""

    attention: Literal["dot", "general", "concat", "additive"] = "general"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attention == "additive" and self.num_layers > 1:
            raise InputError(f"num_layers is {self.num_layers}; the network of additive attention has 1 layer.")
        if self.attention != "additive" and self.hidden_size % 2:
            raise InputError(f"hidden_size is {self.hidden_size}, expected an even number: two directions share it.")

    def build(self, vocab_size: int) -> RecurrentSeq2Seq:
        sizes = self.embedding_dim, self.hidden_size, self.num_layers, self.dropout
        return seq2seq_attention(vocab_size, *sizes, self.attention)


SEQ2SEQ = Seq2SeqRecipe(model="seq2seq", data="dates", epochs=9, batch_size=2000, learning_rate=5e-3)
SEQ2SEQ_ATTENTION = AttentionRecipe(
    model="seq2seq-attention", data="dates", epochs=4, batch_size=2000, learning_rate=5e-3
)
RECIPES = (SEQ2SEQ, SEQ2SEQ_ATTENTION)
