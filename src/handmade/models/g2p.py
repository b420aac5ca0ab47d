"""g2p: from spelling to phonemes, by one GRU that encodes the letters and one that decodes the phonemes.

    Park & Kim, "g2pE: A Simple Python Module for English Grapheme To Phoneme Conversion" (2019),
    github.com/Kyubyong/g2p
    Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014): two GRUs, joined by one vector.

    letters  s p e l l </s>  --Embedding, GRU-->  h, which represents the word
    <s> S P EH1 L            --Embedding, GRU from h, Linear-->  scores of  S P EH1 L </s>

The phonemes are those of CMUdict (ARPAbet), vowels with their stress: 0 none, 1 primary, 2 secondary.

Differences:
- Here h is only the decoder's initial state; in Cho et al. every step of the decoder sees it.
- The reset gate of Cho et al. acts before the product with the hidden state, this one after it (see nn/cells.py).

B words of a batch, S letters of a word, T phonemes, H hidden size, P number of phonemes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from handmade.engine import Tensor, no_grad
from handmade.errors import InputError
from handmade.models.card import Card, Cost, Published
from handmade.nn import GRU, Embedding, Linear, Module

LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
ARPABET = """
AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1 EY2
F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH
"""
PHONEMES = ("<pad>", "<unk>", "<s>", "</s>", *ARPABET.split())
PAD, UNKNOWN = 0, 1
BEGIN, END = PHONEMES.index("<s>"), PHONEMES.index("</s>")

LONGEST = 20
"""The most phonemes of a pronunciation."""

PUBLISHED_NAMES = {
    "enc_emb": "letters.weight",
    "enc_w_ih": "encoder.weight_ih_l0",
    "enc_w_hh": "encoder.weight_hh_l0",
    "enc_b_ih": "encoder.bias_ih_l0",
    "enc_b_hh": "encoder.bias_hh_l0",
    "dec_emb": "phonemes.weight",
    "dec_w_ih": "decoder.weight_ih_l0",
    "dec_w_hh": "decoder.weight_hh_l0",
    "dec_b_ih": "decoder.bias_ih_l0",
    "dec_b_hh": "decoder.bias_hh_l0",
    "fc_w": "out.weight",
    "fc_b": "out.bias",
}


class G2P(Module):
    """The network. `pronounce` uses it; `forward` is for training."""

    def __init__(self, hidden_size: int = 256) -> None:
        super().__init__()
        self.letters = Embedding(len(LETTERS), hidden_size)
        self.encoder = GRU(hidden_size, hidden_size, batch_first=True)
        self.phonemes = Embedding(len(PHONEMES), hidden_size)
        self.decoder = GRU(hidden_size, hidden_size, batch_first=True)
        self.out = Linear(hidden_size, len(PHONEMES))

    def encode(self, letters: Int[Tensor, "B S"]) -> Float[Tensor, "1 B H"]:
        """The vector of each word: the state after its last letter. Shorter words are padded, which changes nothing."""
        lengths = (letters != PAD).sum(dim=1)
        _, state = self.encoder(self.letters(letters), lengths=lengths)
        return state

    def forward(self, letters: Int[Tensor, "B S"], phonemes: Int[Tensor, "B T"]) -> Float[Tensor, "B T P"]:
        """The scores of the phoneme after each, given those up to it (the first is BEGIN) and the word."""
        output, _ = self.decoder(self.phonemes(phonemes), self.encode(letters))
        return self.out(output)  # B T H -> B T P

    @no_grad()
    def pronounce(self, words: Sequence[str]) -> list[list[str]]:
        """The phonemes of each word by greedy decoding: the most likely one at each step, until END or LONGEST.

        Capitals are read as small letters. Other characters, such as an apostrophe, are read as <unk>.
        Raises InputError for a word without letters.
        """
        state = self.encode(Tensor(letters_of(words)))
        latest = Tensor(np.full((len(words), 1), BEGIN))
        steps = []
        for _ in range(LONGEST):
            output, state = self.decoder(self.phonemes(latest), state)
            latest = self.out(output).argmax(dim=2)  # B 1
            steps.append(latest.array[:, 0])
            if np.any(np.stack(steps) == END, axis=0).all():
                break
        spoken = [row.tolist() for row in np.stack(steps, axis=1)]  # B T
        return [[PHONEMES[p] for p in (row[: row.index(END)] if END in row else row)] for row in spoken]

    @staticmethod
    def from_published(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of checkpoint20.npz under the names used here; others keep their own."""
        return {PUBLISHED_NAMES.get(name, name): array for name, array in arrays.items()}


def letters_of(words: Sequence[str]) -> Int[np.ndarray, "B S"]:
    """Words as numbers of LETTERS, each with </s> after its last letter, shorter ones filled up with PAD."""
    for word in words:
        if not any(letter.isalpha() for letter in word):
            raise InputError(f"{word!r} is not a word: it has no letters to pronounce.")
    known = {letter: number for number, letter in enumerate(LETTERS)}
    rows = [[*(known.get(letter, UNKNOWN) for letter in word.lower()), known["</s>"]] for word in words]
    letters = np.full((len(rows), max(map(len, rows), default=0)), PAD)
    for row, numbers in zip(letters, rows, strict=True):
        row[: len(numbers)] = numbers
    return letters


def g2p() -> G2P:
    """The published configuration: 834,890 parameters."""
    return G2P()


CARDS = (
    Card(
        "g2p",
        g2p,
        2019,
        "Park & Kim: g2pE: A Simple Python Module for English Grapheme To Phoneme Conversion",
        834_890,
        (10,),
        input="pair",
        cost=Cost(8_053_760, 12_004),
        published=Published(
            url="https://github.com/Kyubyong/g2p/raw/master/g2p_en/checkpoint20.npz",
            sha256="b8af35e4596d8dd5836dfd3fe9b2ba4f97b9c311efe8879544cbcfcbd566d8c6",
            licence="Apache-2.0",
            package="g2p-en/checkpoint20.npz",
        ),
    ),
)
