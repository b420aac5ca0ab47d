"""What the pages stand on: models, the learner's files and record, given images and trainings, in one object."""

from dataclasses import dataclass, field
from pathlib import Path

from handmade.web.bench import Bench
from handmade.web.images import Images
from handmade.web.jobs import Jobs
from handmade.web.models import Models
from handmade.web.study import Study


@dataclass(frozen=True)
class Observatory:
    """What an explorer may ask for what it answers with."""

    models: Models
    bench: Bench
    images: Images = field(default_factory=Images)
    jobs: Jobs = field(default_factory=lambda: Jobs(Path.cwd()))
    study: Study = field(default_factory=lambda: Study(Path.cwd()))

    def close(self) -> None:
        """End what it started."""
        self.jobs.close()
        self.bench.close()
