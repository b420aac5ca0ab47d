"""e^x and its relatives for kernels, in steps that the compiler can take for a whole vector at once.

e^x = 2^n e^r with n the integer nearest to x log2(e) and r = x - n ln 2, at most 0.35 in size. 2^n is made by writing n
into the exponent's bits, and e^r by a polynomial: its error is below 1.2e-7 of the value, two units in the last place.
"""

from handmade.kernels.compiled.build import inline
from handmade.kernels.compiled.instructions import float32, float_from_bits, int32
from handmade.kernels.erf import SINGLE

LARGEST = 88.0
"""Beyond it the result is that of LARGEST, 1.7e38, and never infinite; below -87 it is e^-87, 1.6e-38, and never 0."""
SMALLEST = -87.0
(P0, P1, P2, P3, P4, P5, P6), (Q0, Q1, Q2, Q3, Q4) = SINGLE


@inline
def exp(x):
    """e^x, for x from -87 to 88; NaN stays NaN."""
    x = min(max(x, float32(SMALLEST)), float32(LARGEST)) if x == x else x
    scaled = x * float32(1.4426950408889634)
    n = int32(scaled + (float32(0.5) if scaled >= 0 else float32(-0.5)))
    whole = float32(n)
    # ln 2 in two parts: the first has few bits, so that its product with n is exact.
    r = (x - whole * float32(0.693359375)) + whole * float32(2.12194440e-4)
    p = float32(1.9875691500e-4) * r + float32(1.3981999507e-3)
    p = p * r + float32(8.3334519073e-3)
    p = p * r + float32(4.1665795894e-2)
    p = p * r + float32(1.6666665459e-1)
    p = p * r + float32(5.0000001201e-1)
    p = p * r * r + r + float32(1)
    return p * float_from_bits(int32((n + 127) << 23))


@inline
def logistic(x):
    """1 / (1 + e^-x)."""
    return float32(1) / (float32(1) + exp(-x))


@inline
def tanh(x):
    """1 - 2 / (1 + e^2x), and near 0, where that loses digits, the odd series of five terms."""
    square = x * x
    near = float32(0.0218694885) * square - float32(0.0539682540)
    near = near * square + float32(0.1333333333)
    near = near * square - float32(0.3333333333)
    near = x + x * square * near
    far = float32(1) - float32(2) / (float32(1) + exp(x + x))
    return near if square < float32(0.04) else far


@inline
def erf(x):
    """x P(x^2) / Q(x^2), limited to [-4, 4]: the coefficients of `kernels.erf`, written out."""
    x = min(max(x, float32(-4)), float32(4)) if x == x else x
    z = x * x
    p = float32(P0) * z + float32(P1)
    p = p * z + float32(P2)
    p = p * z + float32(P3)
    p = p * z + float32(P4)
    p = p * z + float32(P5)
    p = p * z + float32(P6)
    q = float32(Q0) * z + float32(Q1)
    q = q * z + float32(Q2)
    q = q * z + float32(Q3)
    q = q * z + float32(Q4)
    return x * p / q
