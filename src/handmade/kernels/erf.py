"""The error function erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x, which NumPy does not have."""

import numpy as np

# W. J. Cody, "Rational Chebyshev approximations for the error function" (1969), coefficients of his program CALERF;
# highest power first. Three ranges of |x|: up to 0.46875, up to 4, above.
_SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2,
        1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)  # fmt: skip
_LARGE = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1,
        1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1,
        6.05183413124413191e-2, 2.33520497626869185e-3,
    ),
)  # fmt: skip

# x P(x^2) / Q(x^2) on [-4, 4], single precision: the coefficients that Eigen and XLA use. One range, no branches.
SINGLE = (
    (
        -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5,
        -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2,
    ),
    (-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2),
)  # fmt: skip


def erf(x: np.ndarray) -> np.ndarray:
    """erf of every element, in the array's own precision: to 1e-6 in float32, to 1e-15 in float64."""
    if x.ndim == 0:  # NumPy makes numbers of arrays without axes, and the buffer below would be one
        return erf(x.reshape(1)).reshape(())
    if x.dtype == np.float32:
        x = np.clip(x, -4, 4)
        return x * _ratio(SINGLE, x * x)
    size = np.abs(x)
    square = x * x
    with np.errstate(
        over="ignore", invalid="ignore", divide="ignore"
    ):  # each range is computed everywhere, used in its own
        small = x * _ratio(_SMALL, np.minimum(square, 1))
        middle = 1 - np.exp(-square) * _ratio(_MIDDLE, np.minimum(size, 4))
        inverse = 1 / np.maximum(square, 1)
        tail = 1 / np.sqrt(np.pi) - inverse * _ratio(_LARGE, inverse)
        large = 1 - np.exp(-square) / np.maximum(size, 1) * tail
    return np.where(size <= 0.46875, small, np.sign(x) * np.where(size <= 4, middle, large))


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: np.ndarray) -> np.ndarray:
    return _polynomial(coefficients[0], x) / _polynomial(coefficients[1], x)


def _polynomial(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    """Horner's rule, highest power first, in one buffer."""
    value = x * coefficients[0]
    for c in coefficients[1:-1]:
        value += c
        value *= x
    value += coefficients[-1]
    return value
