"""Image classification: the recipe and the task of every image classifier.

N images, K classes, C channels, H height, W width
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64

import handmade
from handmade import data
from handmade.data import DataLoader, ImageFolder, ImageSet
from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.nn import Module
from handmade.nn.functional import cross_entropy
from handmade.optim import SGD, Adam, AdamW, Optimizer
from handmade.optim.lr_scheduler import LRScheduler
from handmade.tasks.images import report
from handmade.tasks.images.classifier import Classifier
from handmade.tasks.images.preprocessing import WRITTEN, ImageFacts, image_facts, preprocessing
from handmade.tasks.images.typical import Seen
from handmade.tasks.recipe import Recipe
from handmade.tasks.schedules import scheduled
from handmade.tasks.task import Outcome, Task


@dataclass(frozen=True, kw_only=True)
class ImageRecipe(Recipe):
    """Settings for training an image classifier. A family of models gives `build`.

    optimizer: the rule by which weights are moved. weight_decay: how strongly they are pulled to 0.
    label_smoothing: the probability that the targets spread evenly over all classes.
    schedule: how the learning rate changes in the course of the run (see tasks/schedules.py).
    momentum: of sgd: the share of each step that the next one keeps.
    shift, flip: augmentation: each image is shifted by up to `shift` pixels, and mirrored with probability 1/2.
    channels, size: of the square images that the model takes.
    """

    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: Literal["constant", "steps", "cosine", "one-cycle", "polynomial"] = "cosine"
    label_smoothing: float = 0.0
    shift: int = 0
    flip: bool = False

    channels: ClassVar[int] = 3
    size: ClassVar[int] = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "momentum", "weight_decay", "label_smoothing", "shift")
        if self.momentum >= 1 or self.label_smoothing >= 1:
            raise InputError(
                f"momentum is {self.momentum} and label_smoothing {self.label_smoothing}, expected both below 1."
            )

    def make_optimizer(self, model: Module) -> Optimizer:
        rate, decay = self.learning_rate, self.weight_decay
        if self.optimizer == "sgd":
            return SGD(model.parameters(), rate, self.momentum, decay)
        rule = Adam if self.optimizer == "adam" else AdamW
        return rule(model.parameters(), rate, weight_decay=decay)

    def make_schedule(self, optimizer: Optimizer, total_steps: int) -> LRScheduler:
        return scheduled(optimizer, self.schedule, total_steps)

    def build(self, num_classes: int) -> Module:
        """The model, with initial weights drawn from the global generator."""
        raise NotImplementedError

    def facts(self, images: ImageSet | ImageFolder) -> ImageFacts:
        """What is learned from the training set before training: classes, and the statistics to normalise by."""
        return image_facts(images, self.size)

    def task(self, facts: dict[str, Any] | None = None) -> "ImageClassification":
        return ImageClassification(self, facts)


@runtime_checkable
class HasLoss(Protocol):
    """A model with a loss of its own, of what it returns in training: scores, or a tuple with `logits` among others."""

    def loss(self, outputs: Any, labels: Tensor) -> Tensor: ...


class ImageClassification(Task):
    """The task of an ImageRecipe. Data sets are read when they are first needed."""

    unit = "images"

    def __init__(self, recipe: ImageRecipe, facts: dict[str, Any] | None = None) -> None:
        self.recipe: ImageRecipe = recipe
        self.images = recipe.facts(self.train_set) if facts is None else ImageFacts.from_json(facts)
        self.facts = self.images.to_json()
        handmade.manual_seed(recipe.seed)
        self.model = recipe.build(len(self.images.classes))
        if recipe.label_smoothing and isinstance(self.model, HasLoss):
            raise InputError(f"label_smoothing is for cross-entropy; {recipe.model} has a loss of its own: leave it 0.")

    @cached_property
    def train_set(self) -> ImageSet | ImageFolder:
        return load_images(self.recipe.data, "train")

    @cached_property
    def test_set(self) -> ImageSet | ImageFolder:
        images = load_images(self.recipe.data, "test")
        if list(images.classes) != self.images.classes:
            known, found = ", ".join(self.images.classes), ", ".join(images.classes)
            raise InputError(f"the model tells {known} apart, but the classes of {self.recipe.data} are {found}.")
        return images

    # --- training -------------------------------------------------------------------------------------------------

    @cached_property
    def loader(self) -> DataLoader:
        recipe = self.recipe
        flip = recipe.flip and recipe.data not in WRITTEN
        transforms = preprocessing(self.images, recipe.channels, recipe.size, recipe.shift, flip)
        return DataLoader(self.train_set, recipe.batch_size, shuffle=True, seed=recipe.seed, transforms=transforms)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.loader)

    def batches(self, epoch: int, start: int) -> Iterator[tuple[Tensor, Tensor]]:
        return self.loader.batches(epoch, start)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Outcome:
        images, labels = batch
        outputs = self.model(images)
        loss = self._criterion(outputs, labels, self.recipe.label_smoothing)
        logits = outputs if isinstance(outputs, Tensor) else outputs.logits  # N K
        right = int((logits.array.argmax(axis=1) == labels.array).sum())
        return Outcome(loss, len(labels), {"accuracy": right})

    def _criterion(self, outputs: Any, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The model's own loss of what it returned, or else cross-entropy."""
        if isinstance(self.model, HasLoss):
            return self.model.loss(outputs, labels)
        return cross_entropy(outputs, labels, label_smoothing=label_smoothing)

    # --- testing and use ------------------------------------------------------------------------------------------

    @cached_property
    def use(self) -> Classifier:
        recipe, images = self.recipe, self.images
        transforms = preprocessing(images, recipe.channels, recipe.size)
        seen = Seen(images.shape[1:], images.seen) if images.seen else None
        return Classifier(recipe.model, self.model, images.classes, images.shape[0], transforms, seen_images=seen)

    def evaluate(self) -> dict[str, float]:
        """Loss, without label smoothing, and accuracy on the test set."""
        logits, labels = self.test_logits()
        loss = self._criterion(Tensor(logits), Tensor(labels)).item()
        return {"loss": loss, "accuracy": float((logits.argmax(axis=1) == labels).mean())}

    def test_logits(self) -> tuple[Float[np.ndarray, "N K"], Int64[np.ndarray, "N"]]:
        """The model's logits for every image of the test set, and the true labels."""
        loader = DataLoader(self.test_set, self.recipe.batch_size, transforms=self.use.transforms)
        parts = [(self.use.logits(images), labels.array) for images, labels in loader]
        logits, labels = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(labels)

    def draw(self, folder: Path) -> list[Path]:
        """confusion.png and misclassified.png, of the test set."""
        logits, labels = self.test_logits()
        classes, title = self.images.classes, f"{self.recipe.model} on {self.recipe.data}"
        confusion, misclassified = folder / "confusion.png", folder / "misclassified.png"
        report.draw_confusion(
            confusion, report.confusion_matrix(labels, logits.argmax(axis=1), len(classes)), classes, title
        )
        report.draw_misclassified(misclassified, self.test_set, logits, labels, title)
        return [confusion, misclassified]


def load_images(name: str, split: str) -> ImageSet | ImageFolder:
    """The data set `name`, which must be one of images."""
    loaded = data.load(name, split)
    if not isinstance(loaded, ImageSet | ImageFolder):
        raise InputError(f"{name} holds no images; take a set such as fashion-mnist or cifar10.")
    return loaded
