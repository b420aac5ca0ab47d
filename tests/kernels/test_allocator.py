"""Memory that one step freed is there for the next one."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from handmade.kernels.choice import use_kernels

use_kernels(sys.argv[1])
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    arrays = [np.ones(1 << 18, np.float32) for _ in range(20)]  # 20 MiB
    del arrays

step()
before = faults()
for _ in range(5):
    step()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_a_step_asks_the_system_for_no_memory_that_the_last_one_had():
    faults = {
        form: int(subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, check=True).stdout)
        for form in ("numpy", "compiled")
    }
    assert faults["compiled"] < 100  # of 25,600 pages
    assert faults["numpy"] > 10 * faults["compiled"] + 1000  # the plain forms leave the process as it is
