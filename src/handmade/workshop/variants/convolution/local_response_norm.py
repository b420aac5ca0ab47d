# Right ways to write it, each under its own line "# %% name": the audit requires the judge to accept every one.
# %% loops
import numpy as np


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    N, C, H, W = x.shape
    out = np.empty_like(x)
    for n, c, i, j in np.ndindex(N, C, H, W):
        total = 0.0
        for d in range(-(size // 2), size // 2 + 1):
            if 0 <= c + d < C:
                total += x[n, c + d, i, j] ** 2
        out[n, c, i, j] = x[n, c, i, j] / (k + alpha * total) ** beta
    return out


# %% shifted sums
import numpy as np


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    C, half = x.shape[1], size // 2
    padded = np.pad(np.square(x), ((0, 0), (half, half), (0, 0), (0, 0)))
    total = sum(padded[:, d : d + C] for d in range(size))
    return x * np.power(k + alpha * total, -beta)


# %% band matrix
import numpy as np


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    channel = np.arange(x.shape[1])
    band = (np.abs(channel[:, None] - channel) <= size // 2).astype(float)
    total = np.einsum("cd,ndhw->nchw", band, x**2)
    return x / np.exp(beta * np.log(k + alpha * total))


# %% cumulative sums
import numpy as np


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    C = x.shape[1]
    sums = np.concatenate([np.zeros_like(x[:, :1]), np.cumsum(x * x, axis=1)], axis=1)
    c = np.arange(C)
    total = sums[:, np.minimum(c + size // 2 + 1, C)] - sums[:, np.maximum(c - size // 2, 0)]
    return x / (k + alpha * total) ** beta


# %% torch, its convention
import torch
import torch.nn.functional as F


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    squares = (x * x).unsqueeze(1)  # N 1 C H W
    squares = F.pad(squares, (0, 0, 0, 0, size // 2, size // 2))
    mean = F.avg_pool3d(squares, (size, 1, 1), stride=1).squeeze(1)
    return x / (k + alpha * mean).pow(beta)
