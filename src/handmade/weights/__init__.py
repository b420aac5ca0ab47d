"""Published weights: safe readers, names, sources."""

from handmade.models.card import Published
from handmade.weights.bert import SentenceEncoder, bert_tokenizer, sentence_encoder
from handmade.weights.catalogue import MEAN, PUBLISHED, STD, published
from handmade.weights.fetch import fetch
from handmade.weights.files import read, save
from handmade.weights.imagenet import imagenet_classes
from handmade.weights.loading import load
from handmade.weights.textgenrnn import textgenrnn_tokenizer

__all__ = [
    "MEAN",
    "PUBLISHED",
    "STD",
    "Published",
    "SentenceEncoder",
    "bert_tokenizer",
    "fetch",
    "imagenet_classes",
    "load",
    "published",
    "read",
    "save",
    "sentence_encoder",
    "textgenrnn_tokenizer",
]
