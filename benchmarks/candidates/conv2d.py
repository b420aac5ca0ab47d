import numpy as np


def pad_image(img, p):
    if p == 0:
        return img
    n, c, h, w = img.shape
    padded = np.zeros((n, c, h + p + p, w + p + p))
    padded[:, :, p : p + h, p : p + w] = img
    return padded


def conv2d(x, w, b, stride=1, padding=0):
    xp = pad_image(x, padding)
    n_img, n_ch, height, width = xp.shape
    n_filters, _, fh, fw = w.shape
    out_h = 1 + (height - fh) // stride
    out_w = 1 + (width - fw) // stride
    result = np.zeros((n_img, n_filters, out_h, out_w))
    for img in range(n_img):
        for f in range(n_filters):
            for row in range(out_h):
                for col in range(out_w):
                    total = 0.0
                    for ch in range(n_ch):
                        for dy in range(fh):
                            for dx in range(fw):
                                total += xp[img, ch, row * stride + dy, col * stride + dx] * w[f, ch, dy, dx]
                    result[img, f, row, col] = total + b[f]
    return result
