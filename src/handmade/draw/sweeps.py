"""A sweep: the learning curves of its trials, and where each ended against what was changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from handmade.draw.palette import LIGHT, MARKERS, SERIES
from handmade.draw.style import Picture, in_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHOLE, EARLY = 0, 1
"""Which of the SERIES and MARKERS trials have that were trained to their end, and others."""


class Swept(NamedTuple):
    """A trial: its values by setting, and its loss on the test data after each of these epochs, at least one.

    whole: whether it was trained to its end.
    """

    values: Mapping[str, Any]
    epochs: Sequence[float]
    losses: Sequence[float]
    whole: bool


@in_style
def sweep(trials: Sequence[Swept], best: int, title: str) -> Picture:
    """Loss over epochs of all trials, and a panel for each setting with the last loss against its value.

    best: which of the trials is drawn as the best.
    """
    settings = list(trials[best].values)
    stopped = any(not trial.whole for trial in trials)
    note = "The ring: the best." + (" Hollow squares: stopped early, at their last evaluation." if stopped else "")
    figure = new_figure(3.4 * (1 + len(settings)), 3.4, title, note)
    curves, *panels = figure.subplots(1, 1 + len(settings), sharey=True, squeeze=False)[0]
    for number, trial in enumerate(trials):
        if number != best:
            curves.plot(trial.epochs, trial.losses, color=LIGHT.soft, alpha=0.45, linewidth=0.9, marker=".")
    chosen = trials[best]
    label = f"best: {chosen.losses[-1]:.4g}"
    curves.plot(chosen.epochs, chosen.losses, color=SERIES[WHOLE], marker=MARKERS[WHOLE], label=label, zorder=3)
    curves.set(xlabel="epoch", ylabel="loss on the test data", title="each trial")
    curves.legend()
    for axes, setting in zip(panels, settings, strict=True):
        _against(axes, setting, trials, best)
    for axes in (curves, *panels):
        axes.grid(axis="y")
        axes.margins(x=0.08)
    ended = sum(trial.whole for trial in trials)
    told = ", ".join(f"{name} {value}" for name, value in chosen.values.items())
    worst = max(trial.losses[-1] for trial in trials)
    caption = (
        f"{len(trials)} trials, {ended} trained to their end. The best, {told}: loss {chosen.losses[-1]:.4g} on the "
        f"test data. The worst ended at {worst:.4g}."
    )
    return Picture(figure, title, caption)


def _against(axes: "Axes", setting: str, trials: Sequence[Swept], best: int) -> None:
    """The last loss of each trial against its value of the setting."""
    values = [trial.values[setting] for trial in trials]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    names = list(dict.fromkeys(map(str, values)))
    places = values if numbers else [names.index(str(value)) for value in values]
    for whole, series in ((False, EARLY), (True, WHOLE)):
        x = [place for place, trial in zip(places, trials, strict=True) if trial.whole is whole]
        y = [trial.losses[-1] for trial in trials if trial.whole is whole]
        filled = SERIES[series] if whole else "none"
        axes.plot(x, y, MARKERS[series], color=SERIES[series], markerfacecolor=filled)
    ring = {"markersize": 11, "markerfacecolor": "none", "color": SERIES[WHOLE]}
    axes.plot(places[best], trials[best].losses[-1], "o", **ring)
    axes.set(xlabel=setting)
    if not numbers:
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.5, len(names) - 0.5)
    elif min(places) > 0 and max(places) / min(places) >= 10:
        axes.set_xscale("log")
    elif all(isinstance(value, int) for value in values):
        axes.locator_params(axis="x", integer=True)
