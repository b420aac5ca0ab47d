"""Data sets' files: idx, images, folders of images, CIFAR's archives, sounds, texts, tokenizers."""

import gzip
import io
import json
import lzma
import os
import pickle
import random
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.fuzzing.format import Files, Format
from benchmarks.fuzzing.mutators import Mutate, damaged, damaged_json, damaged_pickle, damaged_text, one_of
from handmade.data import ImageFolder
from handmade.data.cifar import BATCHES, read_binary, read_jpeg, read_python
from handmade.data.corpus import read_pairs, read_text
from handmade.data.idx import read_idx
from handmade.data.images import ORIENTATION, read_image
from handmade.data.speech import read_spoken_digits
from handmade.data.wav import read_wav
from handmade.errors import InputError
from handmade.text import BPETokenizer, WordPieceTokenizer, load_tokenizer
from handmade.text.bpe import CHARACTER_TO_BYTE
from handmade.text.glove import read_glove
from handmade.text.words import CharacterTokenizer, WordTokenizer
from tests.support.archives import tar

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(np.uint8)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def inside_gzip(mutate: Mutate) -> Mutate:
    return lambda rng, content: packed(mutate(rng, gzip.decompress(content)))


# --- idx ----------------------------------------------------------------------------------------------------------

IDX = struct.pack(">BBBB2I", 0, 0, 0x08, 2, 3, 4) + bytes(range(12))
IDX_FLOATS = struct.pack(">BBBBI", 0, 0, 0x0D, 1, 3) + np.arange(3, dtype=">f4").tobytes()


def _idx() -> list[Files]:
    return [{"a.idx": content} for content in (IDX, IDX_FLOATS, packed(IDX))]


def _idx_known(folder: Path) -> Any:
    return read_idx(folder / "a.idx", sha256(IDX).hexdigest())


# --- images -------------------------------------------------------------------------------------------------------


def _encoded(form: str, pixels: np.ndarray = PIXELS, mode: str = "RGB", **options: Any) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, form, **options)
    return stream.getvalue()


def _rotated() -> Any:
    """EXIF data that say so."""
    from PIL import Image

    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def _png() -> list[Files]:
    grey = PIXELS[:, :, 0].astype(np.uint16) * 257
    images = [
        _encoded("PNG"),
        _encoded("PNG", mode="RGBA"),
        _encoded("PNG", mode="P", transparency=0),
        _encoded("PNG", exif=_rotated()),
        _encoded("PNG", mode="1"),
        _encoded("PNG", grey, "I;16", transparency=int(grey[0, 0])),
    ]
    return [{"a.png": image} for image in images]


def _pictures() -> list[Files]:
    images = [
        _encoded("JPEG"),
        _encoded("JPEG", progressive=True, exif=_rotated()),
        _encoded("JPEG", mode="CMYK"),
        _encoded("GIF", mode="P", transparency=0),
        _encoded("BMP"),
        _encoded("BMP", mode="P"),
        _encoded("WEBP"),
        _encoded("WEBP", lossless=True, mode="RGBA"),
        _encoded("PPM"),
        _encoded("PPM", mode="1"),
    ]
    return [{"a.png": image} for image in images]


def _tree() -> list[Files]:
    image = _encoded("PPM")
    names = ("train/a/1.png", "train/a/2.png", "train/b/1.ppm", "test/a/1.png", "test/b/1.png")
    return [dict.fromkeys(names, image)]


TREE_NAMES = (
    "*",
    "[x]",
    "a*",
    ".a",
    "._1.jpg",
    "a.png",
    "ü",
    "\x1b[2J",
    "a b",
    "ab",
    "1.PNG",
    "x.txt",
    "-rf",
    "%s",
    "\udcff",
)


def _other_tree(rng: random.Random, files: Files) -> Files:
    for _ in range(rng.choice((1, 1, 2, 3))):
        name = rng.choice(list(files))
        parts = name.split("/")
        parts[rng.randrange(len(parts))] = rng.choice(TREE_NAMES)
        match rng.randrange(5):
            case 0 if len(files) > 1:
                del files[name]
            case 1:
                files[name] = damaged(rng, files[name])
            case 2:
                files["/".join(parts)] = files[name]
            case _:
                files["/".join(parts)] = files.pop(name)
    return {name: content for name, content in files.items() if not any(f"{name}/" in other for other in files)}


def _image_folder(folder: Path) -> Any:
    for split in ("train", "test"):
        images = ImageFolder(folder, split)
        held = {path.parent.name for path in images.paths}
        assert held <= set(images.classes), "an image of a class that there is not"
        for path, label in zip(images.paths, images.labels, strict=True):
            assert path.parent.name == images.classes[label], "an image under another's class"
        images.batch(np.arange(len(images)))


# --- archives -----------------------------------------------------------------------------------------------------


def _batches() -> list[str]:
    return [batch for batches in BATCHES.values() for batch in batches]


def _binary() -> dict[str, bytes]:
    return {f"cifar-10-batches-bin/{batch}.bin": bytes([3]) + bytes(3072) for batch in _batches()}


def _pickled() -> dict[str, bytes]:
    batch = {"data": np.zeros((1, 3072), np.uint8), "labels": [3], "filenames": ["a.png"], "batch_label": "1"}
    return {f"cifar-10-batches-py/{name}": pickle.dumps(batch, 2) for name in _batches()}


def _cifar() -> list[Files]:
    files = [
        {"kind": b"binary", "a.tar": packed(tar(_binary()))},
        {"kind": b"python", "a.tar": packed(tar(_pickled()))},
    ]
    return [*files, {"kind": b"binary", "a.tar": lzma.compress(tar(_binary()))}]


def _cifar_pickles(rng: random.Random, files: Files) -> Files:
    members = _pickled()
    name = rng.choice(list(members))
    members[name] = damaged_pickle(rng, members[name])
    return {"kind": b"python", "a.tar": gzip.compress(tar(members), 1, mtime=0)}


def _read_cifar(folder: Path) -> Any:
    reader = read_binary if (folder / "kind").read_bytes() == b"binary" else read_python
    images, labels = reader((folder / "a.tar").read_bytes(), "a.tar", "train")
    assert len(images) == len(labels), "images without labels"
    return images, labels


KEPT = "handmade/cifar10/jpeg-00000000-train.npz"
"""Where the images of an archive without a byte are kept, in a cache."""


def _kept() -> list[Files]:
    file = io.BytesIO()
    np.savez(file, images=PIXELS.transpose(2, 0, 1)[None], labels=np.array([3]))
    return [{KEPT: file.getvalue()}]


def _read_kept(folder: Path) -> Any:
    """Where decoded images are damaged the archive is decoded anew, which is refused here."""
    with patch.dict(os.environ, XDG_CACHE_HOME=str(folder)):
        return read_jpeg(b"", "a.tar", "train")


# --- sounds -------------------------------------------------------------------------------------------------------


def _wav(bits: int, channels: int = 1, size: int | None = None, more: bytes = b"") -> bytes:
    sound = np.random.default_rng(1).bytes(24 * channels * bits // 8)
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, 8000, 8000 * frame, frame, bits)
    data = struct.pack("<4sI", b"data", len(sound) if size is None else size) + sound
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + data + more
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _sounds() -> list[Files]:
    sounds = (_wav(16), _wav(8, 2), _wav(24), _wav(32), _wav(16, size=0xFFFFFFFF), _wav(16, more=b"LIST\4\0\0\0abcd"))
    return [{"a.wav": sound} for sound in sounds]


def _digits() -> list[Files]:
    members = {f"free/recordings/{digit}_theo_0.wav": _wav(16) for digit in (1, 7)}
    return [{"a.tar": tar(members)}, {"a.tar": packed(tar(members))}]


def _read_digits(folder: Path) -> Any:
    return read_spoken_digits((folder / "a.tar").read_bytes(), "a.tar").clips


# --- texts --------------------------------------------------------------------------------------------------------

LINES = "To be, or not to be:\nthat is the question.\nÜber, naïve 東京 \U0001f600\n".encode()
GLOVE = b"the 0.5 -0.25 1e-3\nof 0.1 0.2 0.3\n. . 1 2 3\n"


def _pairs(folder: Path) -> Any:
    sources, targets = read_pairs(folder / "a.de", folder / "a.en")
    assert len(sources) == len(targets)
    return sources, targets


def _gpt2() -> list[Files]:
    merges = ["t h", "th e", "\u0120 the"]
    tokens = [*CHARACTER_TO_BYTE, *("".join(merge.split()) for merge in merges), "<|endoftext|>"]
    vocabulary = json.dumps({token: number for number, token in enumerate(tokens)}).encode()
    return [{"vocab.json": vocabulary, "merges.txt": "\n".join(["#version: 0.2", *merges, ""]).encode()}]


def _read_gpt2(folder: Path) -> None:
    _try(BPETokenizer.from_files(folder / "vocab.json", folder / "merges.txt"))


VOCABULARY = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##s", "that", "t", "##o", ""]).encode()


def _saved() -> list[Files]:
    text = LINES.decode()
    vocabulary = json.dumps({"kind": "wordpiece", "tokens": VOCABULARY.decode().split("\n")[:-1], "special": ["[PAD]"],
                             "unk": "[UNK]", "lowercase": True})  # fmt: skip
    made = [
        _tokenizer_file(CharacterTokenizer.train(text)),
        _tokenizer_file(WordTokenizer.train(text)),
        vocabulary.encode(),
    ]
    return [{"tokenizer.json": content} for content in [*made, _tokenizer_file(BPETokenizer.train(text, 5))]]


def _tokenizer_file(tokenizer: Any) -> bytes:
    vocabulary = tokenizer.vocabulary
    fields = {"kind": tokenizer.kind, "tokens": vocabulary.tokens, "special": vocabulary.special, "unk": vocabulary.unk}
    return json.dumps({**fields, **tokenizer.options()}).encode()


def _try(tokenizer: Any) -> None:
    """Use it as one does, on characters that it may not know."""
    try:
        ids = tokenizer.encode("To be, the question\n")
        tokenizer.decode(ids)
        tokenizer.pieces(ids)
    except InputError as error:
        if "tokenizer" not in str(error):  # of the text, not of the file
            return
        raise


FORMATS = [
    Format("idx", 110, _idx, lambda folder: read_idx(folder / "a.idx"), {"a.idx": damaged}, named="a.idx"),
    Format(
        "idx of a known SHA-256",
        30,
        lambda: [{"a.idx": IDX}, {"a.idx": packed(IDX)}],
        _idx_known,
        {"a.idx": one_of(damaged, damaged, lambda rng, content: packed(damaged(rng, IDX)))},
        named="a.idx",
        checked=True,
    ),
    Format(
        "PNG",
        50,
        _png,
        lambda folder: read_image(folder / "a.png"),
        {"a.png": damaged},
        named="a.png",
        checked=True,
    ),
    Format(
        "JPEG, WebP, GIF, BMP, PNM",
        60,
        _pictures,
        lambda folder: read_image(folder / "a.png", 1),
        {"a.png": damaged},
        named="a.png",
    ),
    Format("folders of images", 6, _tree, _image_folder, change=_other_tree),
    Format("CIFAR-10's archives", 8, _cifar, _read_cifar, {"a.tar": damaged}, named="a.tar", checked=True),
    Format("CIFAR-10's pickles", 4, _cifar, _read_cifar, change=_cifar_pickles, named="a.tar"),
    Format("CIFAR-10's decoded images", 8, _kept, _read_kept, {KEPT: damaged}, named="a.tar", checked=True),
    Format("WAV", 120, _sounds, lambda folder: read_wav(folder / "a.wav")[0], {"a.wav": damaged}, named="a.wav"),
    Format("spoken digits' archive", 8, _digits, _read_digits, {"a.tar": damaged}, named="a.tar"),
    Format(
        "text",
        50,
        lambda: [{"a.txt": LINES}],
        lambda folder: read_text(folder / "a.txt"),
        {"a.txt": one_of(damaged, damaged_text)},
        named="a.txt",
    ),
    Format(
        "text, gzip",
        25,
        lambda: [{"a.txt": packed(LINES)}],
        lambda folder: read_text(folder / "a.txt"),
        {"a.txt": lambda rng, content: content[:2] + damaged(rng, content[2:])},  # else it may be plain text
        named="a.txt",
        checked=True,
    ),
    Format(
        "pairs of texts",
        25,
        lambda: [{"a.de": LINES, "a.en": LINES.lower()}],
        _pairs,
        {"a.de": damaged_text, "a.en": damaged_text},
        named="a.",
    ),
    Format("GloVe", 30, lambda: [{"a.txt": GLOVE}], lambda folder: read_glove(folder / "a.txt").vectors,
           {"a.txt": one_of(damaged, damaged_text)}, named="a.txt"),
    Format("GPT-2's vocabulary", 20, _gpt2, _read_gpt2, {"vocab.json": damaged_json, "merges.txt": damaged_text}),
    Format("BERT's vocabulary", 35, lambda: [{"vocab.txt": VOCABULARY}],
           lambda folder: _try(WordPieceTokenizer.from_file(folder / "vocab.txt")), {"vocab.txt": damaged_text}),
    Format("tokenizer.json", 30, _saved, lambda folder: _try(load_tokenizer(folder / "tokenizer.json")),
           {"tokenizer.json": damaged_json}, named="tokenizer.json"),
]  # fmt: skip
