"""The networks: one paper, one file. `ZOO` has the card of each network by name.

A file of this folder that ends in cards is found automatically, and its builders can be imported from here. Those
below are listed for editors and type checkers. A builder may have the name of its file: `handmade.models.alexnet` is
the function, `from handmade.models.alexnet import AlexNet` imports the class from the file.
"""

from handmade.models.alexnet import alexnet as alexnet
from handmade.models.bert import bert as bert
from handmade.models.bert import bert_for_masked_lm as bert_for_masked_lm
from handmade.models.card import Card as Card
from handmade.models.card import zoo as _zoo
from handmade.models.char_lm import char_bigram as char_bigram
from handmade.models.char_lm import char_gru as char_gru
from handmade.models.char_lm import char_lstm as char_lstm
from handmade.models.char_lm import char_mlp as char_mlp
from handmade.models.char_lm import char_rnn as char_rnn
from handmade.models.cifar import alexnet_cifar as alexnet_cifar
from handmade.models.cifar import googlenet_cifar as googlenet_cifar
from handmade.models.cifar import vgg11_cifar as vgg11_cifar
from handmade.models.g2p import g2p as g2p
from handmade.models.googlenet import googlenet as googlenet
from handmade.models.gpt import gpt as gpt
from handmade.models.gpt_stages import gpt_stage as gpt_stage
from handmade.models.inception_v3 import inception_v3 as inception_v3
from handmade.models.lenet import lenet5 as lenet5
from handmade.models.minilm import minilm as minilm
from handmade.models.resnet import resnet18 as resnet18
from handmade.models.resnet import resnet34 as resnet34
from handmade.models.resnet import resnet50 as resnet50
from handmade.models.resnet import resnet101 as resnet101
from handmade.models.resnet import resnet152 as resnet152
from handmade.models.resnet_cifar import resnet20 as resnet20
from handmade.models.resnet_cifar import resnet32 as resnet32
from handmade.models.resnet_cifar import resnet44 as resnet44
from handmade.models.resnet_cifar import resnet56 as resnet56
from handmade.models.resnet_cifar import resnet110 as resnet110
from handmade.models.seq2seq import seq2seq as seq2seq
from handmade.models.seq2seq import seq2seq_attention as seq2seq_attention
from handmade.models.sequence_to_sequence import SequenceToSequence as SequenceToSequence
from handmade.models.speech import spoken_digits as spoken_digits
from handmade.models.speech import trigger_word as trigger_word
from handmade.models.textgenrnn import textgenrnn as textgenrnn
from handmade.models.transformer import transformer as transformer
from handmade.models.vgg import convolutional as convolutional
from handmade.models.vgg import vgg11 as vgg11
from handmade.models.vgg import vgg11_bn as vgg11_bn
from handmade.models.vgg import vgg13 as vgg13
from handmade.models.vgg import vgg13_bn as vgg13_bn
from handmade.models.vgg import vgg16 as vgg16
from handmade.models.vgg import vgg16_bn as vgg16_bn
from handmade.models.vgg import vgg16_c as vgg16_c
from handmade.models.vgg import vgg19 as vgg19
from handmade.models.vgg import vgg19_bn as vgg19_bn

Entry = Card  # its former name
ZOO: dict[str, Card] = _zoo(__name__, __path__)
globals().update({card.build.__name__: card.build for card in ZOO.values()})
