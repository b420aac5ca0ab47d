"""What each kind of task minimises, computed by PyTorch: the `loss` of the tasks, on PyTorch's tensors.

A process gets its share of each batch: some of its rows, all of them where it trains alone.

B rows of a batch, T tokens of each, K classes or hidden tokens, V vocabulary size
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F

from handmade.engine import Tensor
from handmade.errors import InputError
from handmade.models.char_lm import IGNORED
from handmade.models.sequence_to_sequence import PAD
from handmade.recipes import RECIPES
from handmade.tasks import (
    ImageRecipe,
    LanguageRecipe,
    MaskedRecipe,
    Recipe,
    SpeechRecipe,
    Task,
    TranslationRecipe,
    TriggerRecipe,
)
from handmade.tasks.images.task import HasLoss


class Result(NamedTuple):
    """As handmade.tasks.Outcome: the mean loss, over how many examples it is, sums over them."""

    loss: torch.Tensor
    count: int
    totals: dict[str, torch.Tensor]


class Objective(torch.nn.Module):
    """The loss of a task's batches as a module, so that DDP and FSDP can be put around all that a step computes.

    model: the task's, as PyTorch's module.
    """

    def __init__(self, task: Task, model: torch.nn.Module) -> None:
        super().__init__()
        self.recipe: Any = task.recipe
        self.task: Any = task
        self.model: Any = model

    def share(self, batch: Sequence[Any], rank: int, count: int) -> list[Any]:
        """The rows that process `rank` of `count` computes; none where there are fewer rows than processes."""
        return [rows_of(part, rank, count) for part in batch]

    @abstractmethod
    def forward(self, *batch: torch.Tensor) -> Result: ...

    def collect(self, gathered: Any) -> None:
        """Put what the next batch needs, other than weights, into the task. gathered(x): x of every process."""


class Images(Objective):
    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> Result:
        outputs = self.model(images)
        if isinstance(self.task.model, HasLoss):
            loss = self.model.loss(outputs, labels)
        else:
            loss = F.cross_entropy(outputs, labels, label_smoothing=self.recipe.label_smoothing)
        logits = outputs if isinstance(outputs, torch.Tensor) else outputs.logits  # B K
        return Result(loss, len(labels), {"accuracy": _right(logits, labels)})


class Language(Objective):
    """Of running text in streams, `carried` is the state after this process's rows of the last batch."""

    carried: tuple[torch.Tensor, ...] | None = None

    def share(self, batch: Sequence[Any], rank: int, count: int) -> list[Any]:
        tokens, targets, before = batch
        if before is None:  # a text begins
            self.carried = None
        elif self.carried is None:  # training is resumed within a text
            self.carried = tuple(rows_of(state, rank, count, axis=1) for state in before)  # L B H
        return super().share([tokens, targets], rank, count)

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor) -> Result:
        count = int((targets != IGNORED).sum())
        if not self.task.train_set.carries:
            return Result(self.model(tokens, targets)[1], count, {})
        before = None if self.carried is None else tuple(state.to(tokens.device) for state in self.carried)
        logits, after = self.model.read(tokens, before)  # B T V
        self.carried = tuple(state.detach() for state in after)
        self.task.carried = tuple(Tensor(state.cpu().numpy()) for state in self.carried)  # a batch goes on from it
        return Result(F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED), count, {})

    def collect(self, gathered: Any) -> None:
        if self.carried is not None:
            shares = gathered([state.cpu().numpy() for state in self.carried])
            self.task.carried = tuple(Tensor(np.concatenate(states, axis=1)) for states in zip(*shares, strict=True))


class Masked(Objective):
    def forward(self, tokens: torch.Tensor, places: torch.Tensor, targets: torch.Tensor) -> Result:
        hidden = self.model.bert(tokens).last_hidden_state  # B T D
        rows = torch.arange(len(places), device=places.device)[:, None]
        logits, wanted = self.model.cls(hidden[rows, places].flatten(0, 1)), targets.flatten()  # BK V
        return Result(F.cross_entropy(logits, wanted), len(wanted), {"accuracy": _right(logits, wanted)})


class Translation(Objective):
    def forward(self, source: torch.Tensor, target: torch.Tensor) -> Result:
        logits, wanted = self.model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten()
        smoothing = self.recipe.label_smoothing
        loss = F.cross_entropy(logits, wanted, ignore_index=PAD, label_smoothing=smoothing)
        return Result(loss, int((wanted != PAD).sum()), {})


class Speech(Objective):
    def forward(self, features: torch.Tensor, lengths: torch.Tensor, labels: torch.Tensor) -> Result:
        logits = self.model(features, lengths)
        return Result(F.cross_entropy(logits, labels), len(labels), {"accuracy": _right(logits, labels)})


class Trigger(Objective):
    def forward(self, features: torch.Tensor, labels: torch.Tensor) -> Result:
        return Result(F.binary_cross_entropy_with_logits(self.model(features), labels), len(labels), {})


OBJECTIVES: dict[type[Recipe], type[Objective]] = {
    ImageRecipe: Images,
    LanguageRecipe: Language,
    MaskedRecipe: Masked,
    TranslationRecipe: Translation,
    SpeechRecipe: Speech,
    TriggerRecipe: Trigger,
}


def objective_of(recipe: Recipe) -> type[Objective]:
    """What a recipe's tasks minimise; InputError for a kind of recipe that is not known here, with those that are."""
    for kind, objective in OBJECTIVES.items():
        if isinstance(recipe, kind):
            return objective
    raise InputError(
        f"the torch engine does not know the loss of {recipe.model} ({type(recipe).__name__}). "
        f"It trains {', '.join(known_recipes())}."
    )


def known_recipes() -> Iterator[str]:
    return (name for name, recipe in RECIPES.items() if isinstance(recipe, tuple(OBJECTIVES)))


def rows_of(part: Any, rank: int, count: int, axis: int = 0) -> torch.Tensor:
    """Of an array or a tensor of ours, the rows of process `rank` of `count`: as many as any other's, or one more."""
    tensor = torch.from_numpy(part.array if isinstance(part, Tensor) else part)
    return torch.tensor_split(tensor, count, dim=axis)[rank]


def _right(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (logits.argmax(dim=1) == labels).sum()
