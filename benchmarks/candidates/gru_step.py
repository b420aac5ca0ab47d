import numpy as np


class GRUCell:
    def __init__(self, Wx, Wh, bx, bh):
        self.Wir, self.Wiz, self.Win = np.split(Wx, 3, axis=1)
        self.Whr, self.Whz, self.Whn = np.split(Wh, 3, axis=1)
        self.bir, self.biz, self.bin = np.split(bx, 3)
        self.bhr, self.bhz, self.bhn = np.split(bh, 3)

    def logistic(self, v):
        return 0.5 * (1 + np.tanh(v / 2))

    def forward(self, x, h):
        reset = self.logistic(x @ self.Wir + self.bir + h @ self.Whr + self.bhr)
        update = self.logistic(x @ self.Wiz + self.biz + h @ self.Whz + self.bhz)
        new = np.tanh(x @ self.Win + self.bin + reset * (h @ self.Whn + self.bhn))
        return new + update * (h - new)


def gru_step(x, h, Wx, Wh, bx, bh):
    return GRUCell(Wx, Wh, bx, bh).forward(x, h)
