# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
def ctc_greedy(log_probs, blank=0):
    result, before = [], blank
    for row in log_probs:
        best = max(range(len(row)), key=lambda k: row[k])
        if best != before and best != blank:
            result.append(best)
        before = best
    return result


# %% groupby
from itertools import groupby

import numpy as np


def ctc_greedy(log_probs, blank=0):
    return [label for label, _ in groupby(np.argmax(log_probs, axis=-1)) if label != blank]


# %% masks
import numpy as np


def ctc_greedy(log_probs, blank=0):
    path = np.argsort(log_probs, axis=1)[:, -1]
    changes = np.ones(len(path), bool)
    changes[1:] = np.diff(path) != 0
    return path[changes & (path != blank)]


# %% torch
import torch


def ctc_greedy(log_probs, blank=0):
    path = torch.unique_consecutive(log_probs.argmax(dim=-1))
    return path[path != blank].tolist()


# %% torch, a list of tensors
import torch


def ctc_greedy(log_probs, blank=0):
    _, path = log_probs.max(dim=1)
    return [k for t, k in enumerate(path) if k != blank and (t == 0 or k != path[t - 1])]
