"""Right solutions in several styles, one file an exercise, in the folder of its topic, cut at lines
`# %% style`: read as text, never imported."""

import re
from importlib import resources

from handmade.workshop.exercises import topic_of


def variants_of(name: str) -> dict[str, str]:
    """The source of each style in which the exercise `name` is solved here."""
    text = resources.files(__name__).joinpath(topic_of(name), f"{name}.py").read_text("utf-8")
    _, *parts = re.split(r"^# %% (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))
