"""The names of ImageNet's classes."""

from functools import cache
from pathlib import Path


@cache
def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet (ILSVRC 2012), in the order of the published models' logits.

    The names are torchvision's (imagenet_classes.LICENSE), of which one word or two stand for a WordNet synset.
    """
    text = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
