"""The networks: one paper, one file. `ZOO` lists every builder by name."""

from handmade.models import lenet
from handmade.models.entry import Entry
from handmade.models.lenet import lenet5

ZOO: dict[str, Entry] = {entry.name: entry for entry in (*lenet.ENTRIES,)}

__all__ = ["ZOO", "Entry", "lenet5"]
