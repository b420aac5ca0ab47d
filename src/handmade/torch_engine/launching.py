"""Several processes on this machine, started and watched by torchrun's launcher: `handmade train --nproc N`."""

import logging
import os
import tempfile
from pathlib import Path

from handmade.errors import InputError
from handmade.torch_engine.setting import Setting

RESTARTS = 3
"""How often all processes are started anew, from the last checkpoint, after one of them has died."""

ENDED = "HANDMADE_ENDED"
"""Names, to the processes, the file into which the first writes the exit code of the whole, where it comes to one."""

STOPPED, DIED = 130, 1


def launch(folder: Path, setting: Setting) -> int:
    """Train the run in `folder` with `setting.processes` processes; the exit code of the command.

    It is what `torchrun --standalone --nproc-per-node N -m handmade train --resume FOLDER ...` does. A process that
    dies has all of them started anew; an error that starting anew does not mend ends them.
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.ERROR)
    # A store that outlives the processes would tell new ones the addresses of those before (pytorch issue 135712).
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // setting.processes)))
    command = ["-m", "handmade", "train", "--resume", str(folder), "--engine", "torch"]
    command += ["--device", setting.device, "--precision", setting.precision]
    several = ["--standalone", "--nproc-per-node", str(setting.processes), "--max-restarts", str(RESTARTS)]
    with tempfile.TemporaryDirectory() as name:
        ended = Path(name, "code")
        os.environ[ENDED] = str(ended)
        try:
            run(parse_args([*several, *command]))
        except SignalException as signal:
            if not ended.exists():
                return 128 + signal.sigval
        except ChildFailedError:
            if not ended.exists():
                raise InputError(
                    f"the processes died {RESTARTS + 1} times. {folder} keeps its last checkpoint: "
                    f"handmade train --resume {folder} --engine torch continues from it."
                ) from None
        finally:
            del os.environ[ENDED]
        return int(ended.read_text()) if ended.exists() else DIED


def launched() -> bool:
    """Whether `launch` has started this process."""
    return ENDED in os.environ


def end(code: int, first: bool) -> int:
    """The exit code of this process, where the whole ends with `code`, which the first process notes for `launch`.

    To torchrun every failure is one that starting anew may mend: a process that `launch` has started reports none.
    """
    if not launched():
        return code
    if first:
        Path(os.environ[ENDED]).write_text(str(code))
    return 0


def has_ended() -> bool:
    """Whether the first process has."""
    return launched() and Path(os.environ[ENDED]).exists()
