"""Augmentation and preprocessing of images, a batch at a time, under torchvision's names and defaults.

A transform takes images and a random generator and returns images. Images are an array (B, C, H, W), or a list of
arrays (C, H, W) if sizes differ: Resize, CenterCrop and RandomResizedCrop take such a list, and return one array if
all results have the same size. Images are uint8 before `ToFloat`, and float32 from 0 to 1 after it.

Sizes are (height, width). Results equal torchvision's on PIL images, to the last pixel.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from handmade.data.dataset import Images, stacked
from handmade.errors import InputError

Transform = Callable[[Images, np.random.Generator], Images]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IMAGENET_EIGENVALUES = (0.2175, 0.0188, 0.0045)
"""Of the covariance of ImageNet's pixels (0..1), from fb.resnet.torch; below, its eigenvectors (columns)."""
IMAGENET_EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


@dataclass(frozen=True)
class Compose:
    """Several transforms in sequence; without `rng`, random ones draw the same numbers at each call."""

    transforms: Sequence[Transform]

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> Images:
        rng = rng if rng is not None else np.random.default_rng(0)
        for transform in self.transforms:
            images = transform(images, rng)
        return images


@dataclass(frozen=True)
class ToFloat:
    """uint8 from 0 to 255 -> float32 from 0 to 1."""

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> np.ndarray:
        return np.divide(_one_size(images, self), np.float32(255), dtype=np.float32)


@dataclass(frozen=True)
class Normalize:
    """(x - mean) / std, channel by channel."""

    mean: Sequence[float]
    std: Sequence[float]

    def __post_init__(self) -> None:
        if not all(0 < std < float("inf") for std in self.std):
            raise ValueError(
                f"Normalize: std is {tuple(self.std)}, expected positive numbers: a channel whose deviation is 0 is "
                "constant; use 1 for it"
            )

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> np.ndarray:
        images = _one_size(images, self)
        if images.dtype == np.uint8:
            raise TypeError("Normalize takes floats, got uint8: put ToFloat() before it")
        if not len(self.mean) == len(self.std) == images.shape[-3]:
            given = f"{len(self.mean)} means and {len(self.std)} standard deviations"
            raise ValueError(f"Normalize has {given} for images of {images.shape[-3]} channels")
        normalized = images - np.array(self.mean, images.dtype)[:, None, None]
        normalized /= np.array(self.std, images.dtype)[:, None, None]
        return normalized


@dataclass(frozen=True)
class Pad:
    """`padding` rows and columns of the value `fill` on every side."""

    padding: int
    fill: float = 0

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> np.ndarray:
        images = _one_size(images, self)
        sides = [(0, 0)] * (images.ndim - 2) + [(self.padding, self.padding)] * 2
        return np.pad(images, sides, constant_values=self.fill)


@dataclass(frozen=True)
class RandomCrop:
    """A window of `size` at a random place in each image, after padding with `padding` zeros on every side."""

    size: int | tuple[int, int]
    padding: int = 0

    def __call__(self, images: Images, rng: np.random.Generator) -> np.ndarray:
        images = Pad(self.padding)(_one_size(images, self))
        height, width = _pair(self.size)
        count, _, rows, columns = images.shape
        if rows < height or columns < width:
            raise ValueError(f"RandomCrop of {height} x {width} from images of {rows} x {columns}: use more padding")
        windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(2, 3))
        top = rng.integers(rows - height + 1, size=count)
        left = rng.integers(columns - width + 1, size=count)
        return windows[np.arange(count), :, top, left]  # B C places H W -> B C H W


@dataclass(frozen=True)
class RandomHorizontalFlip:
    """Left and right swapped, with probability `p` for each image."""

    p: float = 0.5

    def __call__(self, images: Images, rng: np.random.Generator) -> np.ndarray:
        images = _one_size(images, self)
        flip = rng.random(len(images)) < self.p
        return np.where(flip[:, None, None, None], images[..., ::-1], images)


@dataclass(frozen=True)
class Resize:
    """The shorter side becomes `size`, the other in proportion; with a pair, exactly (height, width).

    Bilinear with antialiasing: where the image shrinks, the triangle filter widens with the scale (Pillow's resize).
    """

    size: int | tuple[int, int]

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> Images:
        return stacked([resize(image, *self._target(*image.shape[-2:])) for image in images])

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if isinstance(self.size, tuple):
            return self.size
        if height < width:
            return self.size, int(self.size * width / height)
        return int(self.size * height / width), self.size


@dataclass(frozen=True)
class CenterCrop:
    """The middle `size` of each image; where an image is smaller, zeros around it."""

    size: int | tuple[int, int]

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> Images:
        if isinstance(images, list):
            return stacked([_center_crop(image, *_pair(self.size)) for image in images])
        return _center_crop(images, *_pair(self.size))


@dataclass(frozen=True)
class RandomResizedCrop:
    """A window of random area and shape, resized to `size`: ImageNet's training augmentation (Szegedy et al. 2014).

    `scale` bounds the window's share of the image's area, `ratio` its width over height.
    """

    size: int | tuple[int, int]
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __call__(self, images: Images, rng: np.random.Generator) -> Images:
        crops = []
        for image in images:
            top, left, height, width = self._window(image, rng)
            crops.append(resize(image[:, top : top + height, left : left + width], *_pair(self.size)))
        return stacked(crops)

    def _window(self, image: np.ndarray, rng: np.random.Generator) -> tuple[int, int, int, int]:
        """Top, left, height and width of a window; the largest in the centre if ten random ones do not fit."""
        height, width = image.shape[-2:]
        for _ in range(10):
            area = height * width * rng.uniform(*self.scale)
            ratio = math.exp(rng.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w
        w = min(width, round(height * self.ratio[1]))
        h = min(height, round(width / self.ratio[0]))
        return (height - h) // 2, (width - w) // 2, h, w


@dataclass(frozen=True)
class ColorJitter:
    """Brightness, contrast and saturation changed by random factors from 1 - x to 1 + x for each image.

    Each blends the image with another: black, its mean grey, its greyscale version. Their order is random per batch.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0

    def __call__(self, images: Images, rng: np.random.Generator) -> np.ndarray:
        jittered = _one_size(images, self)
        if jittered.dtype != np.uint8:
            raise TypeError(f"ColorJitter takes uint8 images, got {jittered.dtype}: put it before ToFloat()")
        steps = [(adjust_brightness, self.brightness), (adjust_contrast, self.contrast)]
        steps += [(adjust_saturation, self.saturation)]
        for index in rng.permutation(len(steps)):
            adjust, strength = steps[index]
            if strength:
                jittered = adjust(jittered, rng.uniform(max(0, 1 - strength), 1 + strength, len(jittered)))
        return jittered


@dataclass(frozen=True)
class PCAColor:
    """Each image shifted along the principal axes p_i of the colours, by alpha_i lambda_i with alpha_i ~ N(0, std).

    Krizhevsky et al. 2012, section 4.1 ("fancy PCA"). Takes floats from 0 to 1, before Normalize: the eigenvalues have
    that scale. The defaults are ImageNet's; `color_components` computes them for other images.
    """

    std: float = 0.1
    eigenvalues: Sequence[float] = IMAGENET_EIGENVALUES
    eigenvectors: Sequence[Sequence[float]] = IMAGENET_EIGENVECTORS

    def __call__(self, images: Images, rng: np.random.Generator) -> np.ndarray:
        images = _one_size(images, self)
        if images.dtype == np.uint8 or images.shape[1] != 3:
            raise TypeError(f"PCAColor takes floats (B, 3, H, W), got {images.dtype} {images.shape}")
        alpha = rng.normal(0, self.std, (len(images), 3))
        shift = (alpha * self.eigenvalues) @ np.array(self.eigenvectors).T  # B components -> B colours
        return images + shift.astype(images.dtype)[:, :, None, None]


def color_components(images: np.ndarray) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """Eigenvalues, largest first, and eigenvectors (columns) of the covariance of the colours of uint8 (N, 3, H, W)."""
    pixels = images.transpose(1, 0, 2, 3).reshape(3, -1) / np.float32(255)
    values, vectors = np.linalg.eigh(np.cov(pixels))
    return tuple(values[::-1].tolist()), tuple(map(tuple, vectors[:, ::-1].tolist()))


@dataclass(frozen=True)
class TenCrop:
    """Corners and middle of each image and of its mirror image: (B, C, H, W) -> (B, 10, C, h, w).

    For testing as in Krizhevsky et al. 2012: the model's predictions for the ten crops are averaged.
    """

    size: int | tuple[int, int]

    def __call__(self, images: Images, rng: np.random.Generator | None = None) -> np.ndarray:
        images = _one_size(images, self)
        h, w = _pair(self.size)
        rows, columns = images.shape[-2:]
        if rows < h or columns < w:
            raise ValueError(f"TenCrop of {h} x {w} from images of {rows} x {columns}: use a smaller size")
        crops = []
        for view in (images, images[..., ::-1]):
            crops += [view[..., top : top + h, left : left + w] for top in (0, rows - h) for left in (0, columns - w)]
            crops.append(_center_crop(view, h, w))
        return np.stack(crops, axis=1)


def imagenet_preprocessing(resize: int = 256, crop: int = 224) -> Compose:
    """What published ImageNet weights expect: shorter side to `resize`, centre crop, ImageNet's mean and deviation.

    Takes a list of uint8 arrays (3, H, W) of any sizes; returns float32 (B, 3, crop, crop).
    """
    return Compose((Resize(resize), CenterCrop(crop), ToFloat(), Normalize(IMAGENET_MEAN, IMAGENET_STD)))


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`image` uint8 (C, h, w) as (C, height, width), bilinear with antialiasing."""
    from PIL import Image

    if image.dtype != np.uint8:
        raise TypeError(f"images are resized as uint8, got {image.dtype}: resize before ToFloat()")
    if image.shape[-2:] == (height, width):
        return image
    size, filter = (width, height), Image.Resampling.BILINEAR
    if len(image) == 3:
        return np.asarray(Image.fromarray(image.transpose(1, 2, 0)).resize(size, filter)).transpose(2, 0, 1)
    return np.stack([np.asarray(Image.fromarray(channel).resize(size, filter)) for channel in image])


def adjust_brightness(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Black where a factor is 0, the image where it is 1, brighter above; uint8 (B, C, H, W)."""
    return _blend(np.zeros_like(images), images, factors)


def adjust_contrast(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The mean grey of the image where a factor is 0, the image where it is 1; uint8 (B, C, H, W)."""
    mean = _grey(images).mean(axis=(1, 2, 3), keepdims=True)
    return _blend(np.floor(mean + 0.5), images, factors)


def adjust_saturation(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The grey picture where a factor is 0, the image where it is 1; uint8 (B, C, H, W)."""
    return _blend(_grey(images), images, factors)


def _blend(other: np.ndarray, images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """other + factor * (images - other), clipped to 0..255 and truncated to integers as in Pillow."""
    other = other.astype(np.float32)
    mixed = other + factors.astype(np.float32)[:, None, None, None] * (images - other)
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _grey(images: np.ndarray) -> np.ndarray:
    """The luma of red, green, blue (ITU-R 601), (B, C, H, W) -> (B, 1, H, W), in Pillow's integer arithmetic."""
    if images.shape[1] == 1:
        return images
    red, green, blue = np.moveaxis(images.astype(np.uint32), 1, 0)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)[:, None]


def _center_crop(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """The centre of the last two axes, padded with zeros if they are smaller."""
    rows, columns = images.shape[-2:]
    more_rows, more_columns = max(height - rows, 0), max(width - columns, 0)
    if more_rows or more_columns:
        sides = [(more_rows // 2, (more_rows + 1) // 2), (more_columns // 2, (more_columns + 1) // 2)]
        images = np.pad(images, [(0, 0)] * (images.ndim - 2) + sides)
        rows, columns = images.shape[-2:]
    top, left = round((rows - height) / 2), round((columns - width) / 2)
    return images[..., top : top + height, left : left + width]


def _one_size(images: Images, transform: object) -> np.ndarray:
    """`images`, which must be one array."""
    if isinstance(images, list):
        sizes = sorted({f"{image.shape[-2]} x {image.shape[-1]}" for image in images})
        some = ", ".join(sizes[:3]) + (", ..." if len(sizes) > 3 else "")
        mend = "put Resize and CenterCrop, or RandomResizedCrop, before it"
        raise InputError(f"{type(transform).__name__} takes images of one size, got {some}: {mend}.")
    return images


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
