"""Varied strings for WordPiece tokenizers: every script, accents, control characters, emoji, special tokens."""

import random
import string

from handmade.text.wordpiece import SPECIAL

LETTERS = (
    string.ascii_letters + string.digits + "äßéøłπσςδοбя\u05d0\u0634\u0905\u0e01가かカ\u1100\u1161" + string.punctuation
)
WHOLE = ["the", "cat", "un", "hello", "Hello", "猫", "中", "🙂", "…", "¿", "ﬁ", "½", "mark"]
CONTINUED = ["##" + piece for piece in [*LETTERS, "aff", "able", "ing", "s", "##", "é", "\u0301"]]
TOKENS = [*SPECIAL, *LETTERS, *WHOLE, *CONTINUED]

# From each block of Unicode characters that the reference's tables, which end with Unicode 8, know.
BLOCKS = [(0x00, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0x180), (0x180, 0x250), (0x300, 0x370), (0x370, 0x530)]
BLOCKS += [(0x5B0, 0x600), (0x620, 0x700), (0x900, 0x980), (0xE00, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2070)]
BLOCKS += [(0x20A0, 0x2400), (0x3000, 0x3100), (0x3400, 0x3500), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xE010)]
BLOCKS += [(0xF900, 0xFB10), (0xFE00, 0xFE10), (0xFF00, 0xFFF0), (0xFFF9, 0xFFFE), (0x1D400, 0x1D500)]
BLOCKS += [(0x1F300, 0x1F650), (0x1FAE0, 0x1FAFF), (0x20000, 0x20100), (0x2B740, 0x2B780), (0x2F800, 0x2FA20)]
FRAGMENTS = [*SPECIAL, *WHOLE, "unaffable", "unseen", "Straße", "ΟΔΟΣ", "İstanbul", "e\u0301", "[mask]", "##s", "don't"]
FRAGMENTS += ["👩‍👧", "a" * 100, "b" * 101, "\u200b", "\r\n", "\u3000", "\ufeff", "$5.00", "x^2=`y`|~z"]


def varied_strings(count: int) -> list[str]:
    rng = random.Random(0)
    strings = []
    for _ in range(count):
        parts = []
        for _ in range(rng.randint(0, 6)):
            first, end = rng.choice(BLOCKS)
            parts.append("".join(chr(rng.randrange(first, end)) for _ in range(rng.randint(1, 6))))
            parts.append("".join(rng.choices(LETTERS, k=rng.randint(0, 6))))
            parts += [rng.choice(FRAGMENTS), rng.choice(["", " ", "\t", "\n"])]
        strings.append("".join(parts))
    return strings
