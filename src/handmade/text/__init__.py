"""What language models need around them: tokenizers, decoding, sampling, BLEU. The engine is not needed."""

from handmade.text.bleu import BLEU, corpus_bleu, sentence_bleu
from handmade.text.bpe import BPETokenizer
from handmade.text.ctc import Labelling, ctc_beam_search, ctc_greedy
from handmade.text.decoding import Hypothesis, beam_search, greedy_search, prefix_step, take_rows
from handmade.text.embeddings import WordVectors
from handmade.text.glove import read_glove
from handmade.text.sampling import generate, penalise_repetition, sample, sample_probabilities
from handmade.text.tokenizer import Tokenizer, load_tokenizer
from handmade.text.vocabulary import BOS, EOS, PAD, UNK, Vocabulary
from handmade.text.wordpiece import WordPieceTokenizer
from handmade.text.words import CharacterTokenizer, WordTokenizer

__all__ = [
    "BLEU",
    "BOS",
    "EOS",
    "PAD",
    "UNK",
    "BPETokenizer",
    "CharacterTokenizer",
    "Hypothesis",
    "Labelling",
    "Tokenizer",
    "Vocabulary",
    "WordPieceTokenizer",
    "WordTokenizer",
    "WordVectors",
    "beam_search",
    "corpus_bleu",
    "ctc_beam_search",
    "ctc_greedy",
    "generate",
    "greedy_search",
    "load_tokenizer",
    "penalise_repetition",
    "prefix_step",
    "read_glove",
    "sample",
    "sample_probabilities",
    "sentence_bleu",
    "take_rows",
]
