"""Published weights: safe readers, names, sources."""

from handmade.models.card import Published as Published
from handmade.weights.bert import SentenceEncoder as SentenceEncoder
from handmade.weights.bert import bert_tokenizer as bert_tokenizer
from handmade.weights.bert import sentence_encoder as sentence_encoder
from handmade.weights.catalogue import MEAN as MEAN
from handmade.weights.catalogue import PUBLISHED as PUBLISHED
from handmade.weights.catalogue import STD as STD
from handmade.weights.catalogue import published as published
from handmade.weights.fetch import fetch as fetch
from handmade.weights.files import read as read
from handmade.weights.files import save as save
from handmade.weights.imagenet import imagenet_classes as imagenet_classes
from handmade.weights.loading import load as load
from handmade.weights.textgenrnn import textgenrnn_tokenizer as textgenrnn_tokenizer
