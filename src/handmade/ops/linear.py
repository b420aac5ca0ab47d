"""The fully connected layer, with its weight either way round."""

from handmade.kernels import products
from handmade.kernels.sums import total
from handmade.ops.op import op


@op
def linear(x, weight, bias):
    """x weight^T + bias; x (..., in), weight (out, in), bias (out,) or None -> (..., out)."""
    if weight.ndim != 2 or x.ndim < 1 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: input of shape {x.shape} and weight of shape {weight.shape}: "
            "expected (..., in_features) and (out_features, in_features)"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"linear: bias has shape {bias.shape}, expected ({weight.shape[0]},) for weight {weight.shape}"
        )
    rows = x.reshape(-1, x.shape[-1])  # one matrix product for all leading axes
    value = products.matmul(rows, weight.T, bias)

    def pullback(g):
        g = g.reshape(-1, weight.shape[0])
        return (
            lambda: products.matmul(g, weight).reshape(x.shape),
            lambda: products.matmul(g.T, rows),
            lambda: total(g, 0),
        )

    return value.reshape(*x.shape[:-1], weight.shape[0]), pullback


@op
def projection(x, weight, bias):
    """x weight + bias; x (..., in), weight (in, out), bias (out,) or None -> (..., out)."""
    if weight.ndim != 2 or x.ndim < 1 or x.shape[-1] != weight.shape[0]:
        raise ValueError(
            f"projection: input of shape {x.shape} and weight of shape {weight.shape}: "
            "expected (..., in_features) and (in_features, out_features)"
        )
    if bias is not None and bias.shape != weight.shape[1:]:
        raise ValueError(
            f"projection: bias has shape {bias.shape}, expected ({weight.shape[1]},) for weight {weight.shape}"
        )
    rows = x.reshape(-1, x.shape[-1])
    value = products.matmul(rows, weight, bias)

    def pullback(g):
        g = g.reshape(-1, weight.shape[1])
        return (
            lambda: products.matmul(g, weight.T).reshape(x.shape),
            lambda: products.matmul(rows.T, g),
            lambda: total(g, 0),
        )

    return value.reshape(*x.shape[:-1], weight.shape[1]), pullback
