"""Many trainings that differ in a few settings, run beside each other by Ray, and compared.

from handmade.recipes import recipe_of
from handmade.sweep import read_axes, run_sweep, sweep_in, trials_of
recipe = recipe_of("lenet5")
trials = trials_of(read_axes(recipe, ["learning_rate=1e-3,3e-4"]), None, recipe.seed)
run_sweep(sweep_in(Path("sweeps/lenet5-1"), recipe, trials), workers=2)
"""

from handmade.sweep.axes import read_axes as read_axes
from handmade.sweep.axes import trials_of as trials_of
from handmade.sweep.record import Result as Result
from handmade.sweep.record import Sweep as Sweep
from handmade.sweep.record import Trial as Trial
from handmade.sweep.record import folder_for as folder_for
from handmade.sweep.record import reopened as reopened
from handmade.sweep.record import shown as shown
from handmade.sweep.record import sweep_in as sweep_in
from handmade.sweep.summary import changes_of as changes_of
from handmade.sweep.summary import draw_sweep as draw_sweep
from handmade.sweep.summary import result_rows as result_rows
from handmade.sweep.tuning import run_sweep as run_sweep
