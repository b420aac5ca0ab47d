class LayerNorm:
    def __init__(self, gamma, beta, eps):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        self.D = x.shape[-1]
        centered = x - x.mean(-1, keepdims=True)
        self.rstd = ((centered * centered).mean(-1, keepdims=True) + self.eps) ** -0.5
        self.normed = centered * self.rstd
        return self.normed * self.gamma + self.beta

    def backward(self, dy):
        leading = tuple(range(dy.ndim - 1))
        self.dgamma = (dy * self.normed).sum(leading)
        self.dbeta = dy.sum(leading)
        g = dy * self.gamma
        s1 = g.sum(-1, keepdims=True)
        s2 = (g * self.normed).sum(-1, keepdims=True)
        return (self.D * g - s1 - self.normed * s2) * self.rstd / self.D


def layer_norm(x, gamma, beta, eps=1e-5):
    layer = LayerNorm(gamma, beta, eps)
    return layer.forward(x), layer


def layer_norm_backward(dout, cache):
    dx = cache.backward(dout)
    return dx, cache.dgamma, cache.dbeta
