import numpy as np


def batch_norm(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    channels = x.shape[1]
    flat = np.moveaxis(x, 1, -1).reshape(-1, channels)
    if training:
        count = flat.shape[0]
        mu = flat.sum(axis=0) / count
        deviation = flat - mu
        sigma2 = (deviation**2).sum(axis=0) / count
        running_mean = running_mean + momentum * (mu - running_mean)
        running_var = running_var + momentum * (sigma2 * count / (count - 1) - running_var)
    else:
        mu, sigma2 = running_mean, running_var
    scale = gamma / np.sqrt(sigma2 + eps)
    shift = beta - mu * scale
    out = x * scale[:, np.newaxis, np.newaxis] + shift[:, np.newaxis, np.newaxis]
    return out, running_mean, running_var
