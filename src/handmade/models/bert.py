"""BERT: a Transformer encoder that learns language by filling in masked tokens.

    Devlin, Chang, Lee & Toutanova, "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding" (2019, arXiv 1810.04805), section 3.

    [CLS] the cat [MASK] on the mat [SEP]          input_ids B T
       |   word + position + segment, LayerNorm    B T D
       |   L times:  x = LayerNorm(x + attention(x))          every position attends to every other
       |             x = LayerNorm(x + W2 gelu(W1 x))         D -> F -> D
       +-> last_hidden_state                       B T D
             position 0 -> dense, tanh             pooler_output B D      (BertModel)
             all of them -> dense, gelu, LayerNorm, the word embeddings -> logits B T V     (BertForMaskedLM)

The norms come after the sums ("post-norm"), as in Vaswani et al. 2017. Parameter names are those of Hugging Face's
checkpoints.

Differences:
- The paper's second task, next sentence prediction (`cls.seq_relationship`), is left out.
- Initialisation: the paper's code draws from a normal distribution truncated at two standard deviations, as here;
  Hugging Face's library does not truncate.

B batch, T tokens, D hidden size, H heads, F intermediate size, V vocabulary size
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Bool, Float, Int

import handmade.nn.functional as F
from handmade.engine import Tensor, creation
from handmade.models.bert_files import check_settings, published_names
from handmade.models.card import Card, Cost
from handmade.nn import GELU, Dropout, Embedding, LayerNorm, Linear, Module, ModuleList, Parameter, Tanh, init

Tokens = Int[Tensor, "B T"]
Mask = Bool[Tensor, "..."] | Int[Tensor, "..."]  # B T; another shape gets an error of its own


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT, under Hugging Face's names. The defaults are those of bert-base-uncased.

    max_position_embeddings: how many tokens a text may have, [CLS] and [SEP] included.
    type_vocab_size: segments, as the two sentences of a pair.
    hidden_dropout_prob: of dropout after the embeddings and on each branch; attention_probs_dropout_prob: on the
        attention weights.
    initializer_range: the standard deviation of initial weights, before they are cut off at twice that.
    """

    vocab_size: int = 30_522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    layer_norm_eps: float = 1e-12
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    pad_token_id: int = 0
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        if self.num_attention_heads < 1 or self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"BertConfig: hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}: heads share it equally"
            )


CONFIGURATIONS = {
    "bert-base-uncased": BertConfig(),
    "bert-large-uncased": BertConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096
    ),
    "minilm": BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536),
    # small enough to train on a CPU; with initial weights of deviation 0.02, chosen for 768, it learns nothing for long
    "small": BertConfig(
        260, 64, 3, 4, 256, 32, 1, hidden_dropout_prob=0, attention_probs_dropout_prob=0, initializer_range=64**-0.5
    ),
}


class BertOutput(NamedTuple):
    """The result of BertModel; pooler_output is None without a pooler."""

    last_hidden_state: Float[Tensor, "B T D"]
    pooler_output: Float[Tensor, "B D"] | None


class Embeddings(Module):
    """The sum of three vectors, of the word, its position and its segment."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.position_embeddings = Embedding(config.max_position_embeddings, config.hidden_size)
        self.token_type_embeddings = Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, input_ids: Tokens, token_type_ids: Tokens | None) -> Float[Tensor, "B T D"]:
        length, longest = input_ids.shape[1], self.position_embeddings.num_embeddings
        if length > longest:
            raise ValueError(
                f"input_ids hold {length} tokens, and this BERT has positions for {longest}: cut the text, as "
                f"tokenizer.encode(text, max_length={longest}) does"
            )
        if token_type_ids is None:
            token_type_ids = creation.zeros_like(input_ids)
        words = self.word_embeddings(input_ids)  # B T D
        places = self.position_embeddings(creation.arange(length, device=input_ids.device))  # T D
        return self.dropout(self.LayerNorm(words + places + self.token_type_embeddings(token_type_ids)))


class SelfAttention(Module):
    """H heads; in each, every position attends to every position that the mask allows (section 3)."""

    attention = staticmethod(F.scaled_dot_product_attention)

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.dropout_p = config.attention_probs_dropout_prob
        self.query = Linear(config.hidden_size, config.hidden_size)
        self.key = Linear(config.hidden_size, config.hidden_size)
        self.value = Linear(config.hidden_size, config.hidden_size)

    def forward(self, x: Float[Tensor, "B T D"], visible: Bool[Tensor, "B 1 1 T"] | None) -> Float[Tensor, "B T D"]:
        query, key, value = (self._heads(project(x)) for project in (self.query, self.key, self.value))
        dropout_p = self.dropout_p if self.training else 0.0
        context = self.attention(query, key, value, visible, dropout_p)
        return context.transpose(1, 2).flatten(2)  # B H T D/H -> B T D

    def _heads(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T d"]:
        return x.reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)


class AddAndNorm(Module):
    """The end of a branch: LayerNorm(x + dropout(W branch + b))."""

    def __init__(self, in_features: int, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(in_features, config.hidden_size)
        self.LayerNorm = LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, branch: Float[Tensor, "B T F"], x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        return self.LayerNorm(x + self.dropout(self.dense(branch)))


class Attention(Module):
    """The first half of a layer."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        self.output = AddAndNorm(config.hidden_size, config)

    def forward(self, x: Float[Tensor, "B T D"], visible: Bool[Tensor, "B 1 1 T"] | None) -> Float[Tensor, "B T D"]:
        return self.output(self.self(x, visible), x)


class Dense(Module):
    """A linear layer, named `dense` as in checkpoints, and its activation."""

    def __init__(self, in_features: int, out_features: int, activation: Module) -> None:
        super().__init__()
        self.dense = Linear(in_features, out_features)
        self.activation = activation

    def forward(self, x: Float[Tensor, "*B I"]) -> Float[Tensor, "*B O"]:
        return self.activation(self.dense(x))


class Layer(Module):
    """Attention, then two linear layers with a GELU between them."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.intermediate = Dense(config.hidden_size, config.intermediate_size, GELU())
        self.output = AddAndNorm(config.intermediate_size, config)

    def forward(self, x: Float[Tensor, "B T D"], visible: Bool[Tensor, "B 1 1 T"] | None) -> Float[Tensor, "B T D"]:
        x = self.attention(x, visible)
        return self.output(self.intermediate(x), x)


class Encoder(Module):
    """The layers, one after another."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.layer = ModuleList(Layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, x: Float[Tensor, "B T D"], visible: Bool[Tensor, "B 1 1 T"] | None) -> Float[Tensor, "B T D"]:
        for layer in self.layer:
            x = layer(x, visible)
        return x


class BertModel(Module):
    """The encoder: tokens to vectors that depend on their context.

    pooler: whether a dense layer and tanh turn the first token's vector ([CLS]) into one for the whole text.
    """

    def __init__(self, config: BertConfig, pooler: bool = True) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Encoder(config)
        self.pooler = Dense(config.hidden_size, config.hidden_size, Tanh()) if pooler else None
        _draw_first_weights(self, config)

    def forward(
        self, input_ids: Tokens, attention_mask: Mask | None = None, token_type_ids: Tokens | None = None
    ) -> BertOutput:
        """attention_mask: 1 or True for tokens, 0 or False for padding, which no position attends to.

        Raises ValueError for more tokens than there are positions and for a mask of another shape than input_ids,
        IndexError for a token outside the vocabulary.
        """
        x = self.embeddings(input_ids, token_type_ids)
        x = self.encoder(x, _visible(attention_mask, input_ids))
        return BertOutput(x, None if self.pooler is None else self.pooler(x[:, 0]))

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError unless config.json, the file beside the weights, describes this network."""
        check_settings(settings, self.config)

    def from_published(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a checkpoint under this model's names; see `published_names`. Heads are left out."""
        named = published_names(arrays)
        bare = {name.removeprefix("bert."): array for name, array in named.items() if not name.startswith("cls.")}
        spare = () if self.pooler else ("pooler.",)
        return {name: array for name, array in bare.items() if not name.startswith(("seq_", *spare))}


class Transform(Module):
    """The head's own layer, between the encoder and the word embeddings."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size)
        self.activation = GELU()
        self.LayerNorm = LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D"]:
        return self.LayerNorm(self.activation(self.dense(x)))


class Predictions(Module):
    """The score of every word at each position: the product with the word's embedding, plus a bias."""

    def __init__(self, config: BertConfig, words: Parameter) -> None:
        super().__init__()
        self.transform = Transform(config)
        self.bias = Parameter(creation.zeros(config.vocab_size))
        _draw_first_weights(self.transform, config)
        self.decoder = Decoder(words, self.bias)

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B V"]:
        return self.decoder(self.transform(x))


class Decoder(Module):
    """A linear layer whose weight and bias belong to other layers: it has no parameters of its own."""

    def __init__(self, weight: Parameter, bias: Parameter) -> None:
        super().__init__()
        self.weight = weight
        self.bias = bias

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B V"]:
        return F.linear(x, self.weight, self.bias)


class Heads(Module):
    """The head under the name that checkpoints give it: cls.predictions."""

    def __init__(self, config: BertConfig, words: Parameter) -> None:
        super().__init__()
        self.predictions = Predictions(config, words)

    def forward(self, x: Float[Tensor, "*B D"]) -> Float[Tensor, "*B V"]:
        return self.predictions(x)


class BertForMaskedLM(Module):
    """BERT with the head it is pre-trained with: at each position, the scores of all words (section 3.1, task 1)."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = BertModel(config, pooler=False)
        self.cls = Heads(config, self.bert.embeddings.word_embeddings.weight)

    def forward(
        self, input_ids: Tokens, attention_mask: Mask | None = None, token_type_ids: Tokens | None = None
    ) -> Float[Tensor, "B T V"]:
        """Logits. The arguments and errors are BertModel's."""
        return self.cls(self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state)

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError unless config.json, the file beside the weights, describes this network."""
        check_settings(settings, self.config)

    def from_published(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        """The arrays of a checkpoint under this model's names; see `published_names`.

        Files may leave out shared arrays: the decoder's weight is the word embeddings, its bias the head's bias.
        """
        named = published_names(arrays)
        spare = ("cls.seq_relationship.", "bert.pooler.")
        own = {
            name if name.startswith(("bert.", "cls.")) else f"bert.{name}": array
            for name, array in named.items()
            if not name.startswith(spare) and not name.startswith("pooler.")
        }
        shared = {
            "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        }
        return {name: own[source] for name, source in shared.items() if source in own} | own


def _visible(attention_mask: Mask | None, input_ids: Tokens) -> Bool[Tensor, "B 1 1 T"] | None:
    if attention_mask is None:
        return None
    check_mask(attention_mask, input_ids.shape)
    return (attention_mask != 0).reshape(len(input_ids), 1, 1, -1)


def check_mask(attention_mask: Tensor, shape: tuple[int, ...]) -> None:
    if attention_mask.shape != tuple(shape):
        raise ValueError(
            f"attention_mask has shape {attention_mask.shape}, expected (batch, tokens) = {tuple(shape)}: "
            "1 for each token, 0 for padding"
        )


def _draw_first_weights(part: Module, config: BertConfig) -> None:
    std = config.initializer_range
    for module in part.modules():
        if isinstance(module, Linear | Embedding):
            init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
        if isinstance(module, Linear) and module.bias is not None:
            init.zeros_(module.bias)
        if isinstance(module, Embedding) and module.padding_idx is not None:
            init.zeros_(module.weight.detach()[module.padding_idx])


def bert(name: str = "bert-base-uncased") -> BertModel:
    """The encoder of a configuration in `CONFIGURATIONS`; ValueError for another name."""
    if name not in CONFIGURATIONS:
        raise ValueError(f"bert: no configuration is called {name!r}; there are {', '.join(CONFIGURATIONS)}")
    return BertModel(CONFIGURATIONS[name])


def bert_for_masked_lm(name: str = "small") -> BertForMaskedLM:
    """A configuration in `CONFIGURATIONS` with the head that fills in masks."""
    return BertForMaskedLM(CONFIGURATIONS[name])


DEVLIN = (2019, "Devlin, Chang, Lee & Toutanova: BERT: Pre-training of Deep Bidirectional Transformers")
_BASE, _LARGE = "bert-base-uncased", "bert-large-uncased"
# fmt: off
CARDS = (
    Card(_BASE, bert, *DEVLIN, 109_482_240, (128,), "GLUE 79.6", source="table 1",
         cost=Cost(10_872_225_792, 21_825_024)),
    Card(_LARGE, bert, *DEVLIN, 335_141_888, (128,), "GLUE 82.1", (("name", _LARGE),), source="table 1",
         cost=Cost(38_655_754_240, 57_411_584)),
    Card("bert", bert_for_masked_lm, *DEVLIN, 173_380, (32,), cost=Cost(5_382_144, 137_344), recipe="bert"),
)
# fmt: on
