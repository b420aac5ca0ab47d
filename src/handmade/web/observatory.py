"""What the pages stand on: the models, the learner's files and the images that were given, in one object."""

from dataclasses import dataclass, field

from handmade.web.bench import Bench
from handmade.web.images import Images
from handmade.web.models import Models


@dataclass(frozen=True)
class Observatory:
    """What an explorer may ask for what it answers with."""

    models: Models
    bench: Bench
    images: Images = field(default_factory=Images)

    def close(self) -> None:
        """End what it started."""
        self.bench.close()
