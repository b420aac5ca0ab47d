"""Published weights: safe readers, names, sources."""

from handmade.weights.catalogue import MEAN, PUBLISHED, STD, Published, published
from handmade.weights.fetch import fetch
from handmade.weights.files import read, save
from handmade.weights.imagenet import imagenet_classes
from handmade.weights.loading import load

__all__ = [
    "MEAN",
    "PUBLISHED",
    "STD",
    "Published",
    "fetch",
    "imagenet_classes",
    "load",
    "published",
    "read",
    "save",
]
