"""What the pages stand on: models, the learner's files and record, given images and trainings, in one object."""

from dataclasses import dataclass, field
from pathlib import Path

from handmade.web.bench import Bench
from handmade.web.images import PACKAGED_DATA, Images, images_at
from handmade.web.jobs import Jobs
from handmade.web.models import Models, given_source
from handmade.web.study import Study


@dataclass(frozen=True)
class Observatory:
    """What an explorer may ask for what it answers with."""

    models: Models
    bench: Bench
    images: Images = field(default_factory=Images)
    jobs: Jobs = field(default_factory=lambda: Jobs(Path.cwd()))
    study: Study = field(default_factory=lambda: Study(Path.cwd()))

    @classmethod
    def around(
        cls, folder: Path, source: str | None = None, weights: str | None = None, image: Path | None = None
    ) -> "Observatory":
        """Over the runs and the workspace of a folder, and over what `handmade look` was given besides.

        InputError for what cannot be opened.
        """
        given = [] if source is None else [given_source(source, weights)]
        images = Images([] if image is None else images_at(image))
        models = Models(folder, given, first="" if images.given else PACKAGED_DATA)
        return cls(models, Bench(folder), images, Jobs(folder), Study(folder))

    def close(self) -> None:
        """End what it started."""
        self.jobs.close()
        self.bench.close()
