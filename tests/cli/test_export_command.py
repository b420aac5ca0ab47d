"""handmade export: a file appears, or one sentence says why not."""

import numpy as np
import pytest
from typer.testing import CliRunner

from handmade import weights
from handmade.cli.app import application
from handmade.errors import InputError
from handmade.recipes import recipe_of
from handmade.tasks import changed
from handmade.train import Trainer, new_run
from handmade.train.display import PlainDisplay
