"""Arrays as bare memory."""

import numpy as np


def flat(x: np.ndarray) -> np.ndarray | None:
    """The numbers of x in the order of memory, as a view (size,); None where other memory lies between them."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    order = sorted(range(x.ndim), key=lambda axis: -x.strides[axis])
    view = x.transpose(order)
    return view.reshape(-1) if view.flags.c_contiguous else None
