import math


def adam(w, dw, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m_t = beta1 * m + (1 - beta1) * dw
    v_t = beta2 * v + (1 - beta2) * dw * dw
    correction1 = 1 - math.pow(beta1, t)
    correction2 = 1 - math.pow(beta2, t)
    step_size = lr / correction1
    denominator = v_t**0.5 / math.sqrt(correction2) + eps
    return w - step_size * m_t / denominator, m_t, v_t
