import numpy as np


def im2col(x, kernel, stride, padding):
    (kh, kw), (sh, sw), (ph, pw) = kernel, stride, padding
    x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
    N, C, H, W = x.shape
    tall = (H - kh) // sh + 1
    wide = (W - kw) // sw + 1
    columns = []
    for top in range(0, tall * sh, sh):
        for left in range(0, wide * sw, sw):
            patch = x[:, :, top : top + kh, left : left + kw]
            columns.append(patch.reshape(N, C * kh * kw))
    return np.stack(columns, axis=2)
