"""Data sets: where each is found, verified, read, augmented and batched."""

from handmade.data.catalogue import Entry, catalogue, load
from handmade.data.corpus import Lines, Pairs, Text, read_pairs, read_text
from handmade.data.dataset import Dataset, ImageFolder, ImageSet, channel_statistics
from handmade.data.idx import read_idx
from handmade.data.images import decode_image, read_image
from handmade.data.loader import DataLoader
from handmade.data.speech import SpokenDigits, log_mel, pad_features, read_spoken_digits
from handmade.data.transforms import (
    CenterCrop,
    ColorJitter,
    Compose,
    Normalize,
    Pad,
    PCAColor,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Resize,
    TenCrop,
    ToFloat,
    color_components,
    imagenet_preprocessing,
)
from handmade.data.wav import read_wav

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "DataLoader",
    "Dataset",
    "Entry",
    "ImageFolder",
    "ImageSet",
    "Lines",
    "Normalize",
    "PCAColor",
    "Pad",
    "Pairs",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "Resize",
    "SpokenDigits",
    "TenCrop",
    "Text",
    "ToFloat",
    "catalogue",
    "channel_statistics",
    "color_components",
    "decode_image",
    "imagenet_preprocessing",
    "load",
    "log_mel",
    "pad_features",
    "read_idx",
    "read_image",
    "read_pairs",
    "read_spoken_digits",
    "read_text",
    "read_wav",
]
