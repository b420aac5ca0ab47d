"""The trials of a sweep, run by Ray Tune: on this machine or on a cluster, the worse ones stopped early.

What became of a trial is in its run folder and in sweep.json, not in Tune's own files: those go when the sweep ends.
"""

import dataclasses
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from handmade.errors import InputError
from handmade.ray_session import LOCAL, ray_session
from handmade.sweep.record import Result, State, Sweep, Trial, reopened
from handmade.sweep.trial import Stopped, run_trial
from handmade.train.divergence import Diverged

FACTOR, FIRST = 3, 100 / 9
"""ASHA: at a ninth and at a third of its length a trial goes on if it is among the best third that came so far."""

TRIES = 3
"""How often a trial is resumed whose process or machine has died."""

PATIENCE = 60.0
"""Seconds that running trials have to save themselves after Ctrl-C."""

SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # Tune prints tables of its own otherwise
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "inf",
}

LOOK = 0.5
"""Seconds between two looks at what has ended."""

Told = Callable[[Trial, Result], None]
"""Is told of each trial that ends."""


def run_sweep(sweep: Sweep, address: str, workers: int, early_stopping: bool, told: Told) -> None:
    """Run the trials that are left; what became of them is in the sweep's folder (`reopened`).

    address: of a cluster whose machines all see the sweep's folder, or LOCAL for this machine with so many `workers`.
    Ctrl-C saves the running trials and returns. Raises InputError where Ray is missing or does not answer, or
    a data set is missing.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)  # before Tune is imported
    _read_data(sweep)
    threads = max((os.cpu_count() or 1) // workers, 1) if address == LOCAL else sweep.recipe.threads or 1
    with ray_session(address, "a sweep", workers * threads) as ray:
        if ray.cluster_resources().get("CPU", 0) < threads:
            raise InputError(f"no trial fits on the cluster at {address!r}: each takes {threads} of its processors.")
        stop, scratch = sweep.folder / ".stop", sweep.folder / ".ray"
        with _asked_by_interrupt(stop), _removed_after(scratch), _telling(sweep, told):
            _tuner(ray, _absolute(sweep), threads, early_stopping, stop.absolute(), scratch.absolute()).fit()


def _absolute(sweep: Sweep) -> Sweep:
    """The same with absolute paths, which mean the same in every process of a cluster."""
    trials = [dataclasses.replace(trial, folder=trial.folder.absolute()) for trial in sweep.trials]
    return dataclasses.replace(sweep, folder=sweep.folder.absolute(), trials=trials)


def _read_data(sweep: Sweep) -> None:
    """Read each data set once, here: what is missing is told before anything runs, and is downloaded once."""
    for name in dict.fromkeys(trial.values.get("data", sweep.recipe.data) for trial in sweep.left):
        dataclasses.replace(sweep.recipe, data=name).task()


def _tuner(ray: Any, sweep: Sweep, threads: int, early_stopping: bool, stop: Path, scratch: Path) -> Any:
    from ray import tune

    watch = _watch(sweep, stop)
    here = Path.cwd()
    trials = {trial.number: trial for trial in sweep.trials}

    def run(config: dict[str, int]) -> None:
        _reported(trials[config["number"]], here, threads, stop, tune.report)

    return tune.Tuner(
        tune.with_resources(run, {"CPU": threads}),
        param_space={"number": tune.grid_search([trial.number for trial in sweep.left])},
        tune_config=tune.TuneConfig(
            scheduler=_halving(sweep) if early_stopping else None,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(scratch),
            callbacks=[watch],
            stop=watch.stopper,
            failure_config=tune.FailureConfig(max_failures=TRIES),
            verbose=0,
        ),
    )


def _reported(trial: Trial, here: Path, threads: int, stop: Path, tell: Callable[[dict[str, Any]], None]) -> None:
    """Run a trial in a worker of Ray. What goes wrong with it is a result, which ends nothing else."""
    try:
        os.chdir(here)  # data sets may be named by paths
        run_trial(trial, threads, lambda percent, loss: tell({"percent": percent, "loss": loss}), stop)
    except Stopped:
        tell(_ended("waiting"))
    except Diverged as error:
        tell(_ended("diverged", str(error)))
    except Exception as error:
        told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        tell(_ended("failed", told))


def _ended(state: State, error: str = "") -> dict[str, Any]:
    return {"percent": 0.0, "loss": float("nan"), "state": state, "error": error}


def _watch(sweep: Sweep, stop: Path) -> Any:
    """Tune's callback that writes down what became of each trial, and ends the sweep when that is asked for.

    With an address that begins with ray:// it goes to the cluster's head, and works there.
    """
    from ray import tune

    trials = {trial.number: trial for trial in sweep.trials}

    class Watch(tune.Callback):
        def __init__(self) -> None:
            self.running: set[int] = set()
            self.stopper = Stopper(self)

        def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            self.running.add(trial.config["number"])

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            last = trial.last_result or {}
            given = "finished" if last.get("percent", 0) >= 100 else "waiting" if stop.exists() else "stopped early"
            self.end(trial, last.get("state", given), last.get("error", ""))

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            self.end(trial, "failed", f"its process died {TRIES + 1} times")

        def end(self, of: Any, state: State, error: str) -> None:
            trial = trials[of.config["number"]]
            self.running.discard(trial.number)
            if state != "waiting":
                sweep.end(trial, state, error)

    class Stopper(tune.Stopper):
        """Ends the sweep when the trials that ran when it was asked to end have saved themselves."""

        def __init__(self, watch: "Watch") -> None:
            self.watch = watch
            self.waited_for: set[int] | None = None
            self.until = 0.0

        def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
            return False

        def stop_all(self) -> bool:
            if not stop.exists():
                return False
            if self.waited_for is None:
                self.waited_for, self.until = set(self.watch.running), time.monotonic() + PATIENCE
            return not self.waited_for & self.watch.running or time.monotonic() > self.until

    return Watch()


def _halving(sweep: Sweep) -> Any:
    """ASHA, which knows trials by their numbers, and what all of them have reported in earlier sessions.

    Asynchronous successive halving: Li et al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020.
    """
    from ray.tune.schedulers import ASHAScheduler

    def known(trial: Any) -> Any:
        return SimpleNamespace(trial_id=trial.config["number"])

    class Halving(ASHAScheduler):
        def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
            super().on_trial_add(tune_controller, known(trial))

        def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
            return super().on_trial_result(tune_controller, known(trial), result)

        def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
            super().on_trial_complete(tune_controller, known(trial), result)

        def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
            super().on_trial_remove(tune_controller, known(trial))

    length = {"max_t": 100, "grace_period": FIRST, "reduction_factor": FACTOR}
    halving = Halving("percent", "loss", "min", **length)
    for trial in sweep.trials:
        named = SimpleNamespace(config={"number": trial.number})
        halving.on_trial_add(None, named)
        for line in sweep.evaluations(trial):
            length = trial.recipe.steps or trial.recipe.epochs * line["step"] / line["epoch"]
            halving.on_trial_result(None, named, {"percent": 100 * line["step"] / length, "loss": line["test_loss"]})
    return halving


@contextmanager
def _telling(sweep: Sweep, told: Told) -> Iterator[None]:
    """Within, a thread looks into the sweep's folder for trials that have ended, and tells of each."""
    results, over = dict(sweep.results), threading.Event()

    def look() -> None:
        for number, result in reopened(sweep).results.items():
            if result != results[number]:
                results[number] = result
                told(sweep.trials[number - 1], result)

    def look_on() -> None:
        while not over.wait(LOOK):
            look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()


@contextmanager
def _removed_after(folder: Path) -> Iterator[None]:
    """Nothing is left of the folder, of a killed session before either."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _asked_by_interrupt(stop: Path) -> Iterator[None]:
    """Within, a first Ctrl-C only makes the file `stop`, which is gone afterwards; a second one stops at once."""
    stop.unlink(missing_ok=True)
    before: Any = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop.touch()

    main = threading.current_thread() is threading.main_thread()
    if main:
        signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
        stop.unlink(missing_ok=True)
