"""How English words are pronounced, by g2p's published weights.

    python examples/pronounce.py handmade gradient backpropagation

The phonemes are CMUdict's: K AE1 T is "cat", the digits are the stress of the vowels. The weights (3 MB) are downloaded
the first time, or found under weights/ in a folder of HANDMADE_DATA.
"""

import sys

from handmade.models.g2p import g2p
from handmade.weights import load


def main(words: list[str]) -> None:
    model = g2p()
    load(model, "g2p")
    for word, phonemes in zip(words, model.pronounce(words), strict=True):
        print(f"{word}: {' '.join(phonemes)}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["handmade", "gradient", "backpropagation"])
