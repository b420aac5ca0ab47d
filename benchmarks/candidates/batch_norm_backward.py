import numpy as np


def batch_norm_backward(dout, x, gamma, eps=1e-5):
    N = x.shape[0]
    mu = np.einsum("nd->d", x) / N
    xmu = x - mu
    var = np.einsum("nd,nd->d", xmu, xmu) / N
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar

    dbeta = np.einsum("nd->d", dout)
    dgamma = np.einsum("nd,nd->d", dout, xhat)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dsqrtvar = -divar / sqrtvar**2
    dvar = 0.5 * dsqrtvar * ivar
    dsq = np.ones_like(x) * dvar / N
    dxmu = dxhat * ivar + 2 * xmu * dsq
    dmu = -np.sum(dxmu, axis=0)
    dx = dxmu + np.ones_like(x) * dmu / N
    return dx, dgamma, dbeta
