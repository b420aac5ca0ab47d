"""The networks: one paper, one file. `ZOO` lists every builder by name.

A builder may have its file's name: `handmade.models.alexnet` is the function. The file's classes are found by
`from handmade.models.alexnet import AlexNet`.
"""

from itertools import chain

from handmade.models.alexnet import ENTRIES as _ALEXNET
from handmade.models.alexnet import alexnet
from handmade.models.bert import ENTRIES as _BERT
from handmade.models.bert import bert, minilm
from handmade.models.char_lm import ENTRIES as _CHAR_LM
from handmade.models.char_lm import char_bigram, char_gru, char_lstm, char_mlp, char_rnn
from handmade.models.cifar import ENTRIES as _CIFAR
from handmade.models.cifar import alexnet_cifar, googlenet_cifar, vgg11_cifar
from handmade.models.entry import Entry
from handmade.models.g2p import g2p
from handmade.models.googlenet import ENTRIES as _GOOGLENET
from handmade.models.googlenet import googlenet
from handmade.models.gpt import ENTRIES as _GPT
from handmade.models.gpt import gpt
from handmade.models.inception_v3 import ENTRIES as _INCEPTION_V3
from handmade.models.inception_v3 import inception_v3
from handmade.models.lenet import ENTRIES as _LENET
from handmade.models.lenet import lenet5
from handmade.models.resnet import ENTRIES as _RESNET
from handmade.models.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from handmade.models.resnet_cifar import ENTRIES as _RESNET_CIFAR
from handmade.models.resnet_cifar import resnet20, resnet32, resnet44, resnet56, resnet110
from handmade.models.seq2seq import seq2seq, seq2seq_attention
from handmade.models.sequence_to_sequence import SequenceToSequence
from handmade.models.textgenrnn import ENTRIES as _TEXTGENRNN
from handmade.models.textgenrnn import textgenrnn
from handmade.models.transformer import transformer
from handmade.models.vgg import ENTRIES as _VGG
from handmade.models.vgg import (
    convolutional,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)

_ENTRIES = chain(
    _LENET,
    _ALEXNET,
    _VGG,
    _GOOGLENET,
    _INCEPTION_V3,
    _RESNET,
    _RESNET_CIFAR,
    _CIFAR,
    _CHAR_LM,
    _BERT,
    _GPT,
    _TEXTGENRNN,
)
ZOO: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}

__all__ = [
    "ZOO",
    "Entry",
    "SequenceToSequence",
    "alexnet",
    "alexnet_cifar",
    "bert",
    "char_bigram",
    "char_gru",
    "char_lstm",
    "char_mlp",
    "char_rnn",
    "convolutional",
    "g2p",
    "googlenet",
    "googlenet_cifar",
    "gpt",
    "inception_v3",
    "lenet5",
    "minilm",
    "resnet18",
    "resnet20",
    "resnet32",
    "resnet34",
    "resnet44",
    "resnet50",
    "resnet56",
    "resnet101",
    "resnet110",
    "resnet152",
    "seq2seq",
    "seq2seq_attention",
    "textgenrnn",
    "transformer",
    "vgg11",
    "vgg11_bn",
    "vgg11_cifar",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
