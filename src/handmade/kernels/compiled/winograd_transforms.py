"""Winograd's F(4x4, 3x3) (Lavin & Gray 2015, "Fast Algorithms for Convolutional Neural Networks"): its transforms.

A sum of three products at four neighbouring places, y_i = x_i w_0 + x_(i+1) w_1 + x_(i+2) w_2, is the product of two
polynomials, read backwards: it can be computed from the values of both at six points (Toom and Cook). With the points
0, 1, -1, 2, -2 and infinity it takes 6 products where the sum has 12, and in two dimensions 36 where it has 144:

    y = A^T [(G w G^T) * (B^T x B)] A          x 6 x 6,  w 3 x 3,  y 4 x 4,  * place by place

G takes the values of w at the points, B^T interpolates, and A^T are the powers of the points. What B^T multiplies are
integers up to 5 and A^T up to 8; the rounding of their sums makes the error some ten times that of the plain sum.

Each function transforms six (three, four) vectors in one dimension; `two_dimensions` does columns, then rows.
"""

from collections.abc import Callable
from typing import Any

from handmade.kernels.compiled import machine
from handmade.kernels.compiled.build import instruction


def input_transform(x):
    """B^T x."""
    even, odd = x[4] - x[2] * 4, x[3] - x[1] * 4
    far_even, far_odd = x[4] - x[2], (x[3] - x[1]) * 2
    return [x[0] * 4 - x[2] * 5 + x[4], even + odd, even - odd, far_even + far_odd, far_even - far_odd,
            x[1] * 4 - x[3] * 5 + x[5]]  # fmt: skip


def filter_transform(w):
    """G w."""
    outer, middle = (w[0] + w[2]) * (-1 / 6), w[1] * (1 / 6)
    far, odd = w[0] * (1 / 24) + w[2] * (1 / 6), w[1] * (1 / 12)
    return [w[0] * 0.25, outer - middle, outer + middle, far + odd, far - odd, w[2]]


def output_transform(m):
    """A^T m."""
    near, near_difference = m[1] + m[2], m[1] - m[2]
    far, far_difference = m[3] + m[4], m[3] - m[4]
    return [m[0] + near + far, near_difference + far_difference * 2, near + far * 4,
            near_difference + far_difference * 8 + m[5]]  # fmt: skip


def gradient_transform(g):
    """A g: the adjoint of `output_transform`, for the gradient of y."""
    even, odd = g[0] + g[2], g[1] + g[3]
    far_even, far_odd = g[0] + g[2] * 4, g[1] * 2 + g[3] * 8
    return [g[0], even + odd, even - odd, far_even + far_odd, far_even - far_odd, g[3]]


def weight_transform(u):
    """G^T u: the adjoint of `filter_transform`, for the gradient of w."""
    near, far = u[1] + u[2], u[3] + u[4]
    return [u[0] * 0.25 - near * (1 / 6) + far * (1 / 24), (u[2] - u[1]) * (1 / 6) + (u[3] - u[4]) * (1 / 12),
            (far - near) * (1 / 6) + u[5]]  # fmt: skip


def two_dimensions(transform: Callable[[list[Any]], list[Any]], rows: list[list[Any]]) -> list[list[Any]]:
    """`transform` applied to the columns, then to the rows, of a square of vectors."""
    columns = [transform(list(column)) for column in zip(*rows, strict=True)]
    return [transform(list(row)) for row in zip(*columns, strict=True)]


class _Vector:
    """A vector of LLVM's with Python's signs for its operations."""

    def __init__(self, builder, value) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other):
        return _Vector(self.builder, self.builder.fadd(self.value, other.value, ("contract",)))

    def __sub__(self, other):
        return _Vector(self.builder, self.builder.fsub(self.value, other.value, ("contract",)))

    def __mul__(self, factor):
        from llvmlite import ir

        factors = ir.Constant(self.value.type, [float(factor)] * self.value.type.count)
        return _Vector(self.builder, self.builder.fmul(self.value, factors, ("contract",)))


def emit(builder, arguments, transform, size: int, lanes: int) -> None:
    """Write the code: read size x size vectors, transform, write. Steps count floats.

    arguments: source, source_row, source_column, target, target_row, target_column, added; what `added` points to is
    added to every result, unless it is null.
    """
    from llvmlite import ir

    source, source_row, source_column, target, target_row, target_column, added = arguments
    vector, integer = ir.VectorType(ir.FloatType(), lanes), ir.IntType(64)
    constant = lambda value: ir.Constant(integer, value)

    def place(pointer, row, i, column, j):
        offset = builder.add(builder.mul(row, constant(i)), builder.mul(column, constant(j)))
        return builder.bitcast(builder.gep(pointer, [offset]), vector.as_pointer())

    def load(i, j):
        return _Vector(builder, builder.load(place(source, source_row, i, source_column, j), align=4))

    results = two_dimensions(transform, [[load(i, j) for j in range(size)] for i in range(size)])
    with builder.if_else(builder.icmp_unsigned("==", builder.ptrtoint(added, integer), constant(0))) as (no, yes):
        for branch, plus in ((no, False), (yes, True)):
            with branch:
                more = (
                    _Vector(builder, builder.load(builder.bitcast(added, vector.as_pointer()), align=4)) if plus else 0
                )
                for i, row in enumerate(results):
                    for j, value in enumerate(row):
                        value = value + more if plus else value
                        builder.store(value.value, place(target, target_row, i, target_column, j), align=4)


def _intrinsic(transform, size: int):
    from numba import types
    from numba.extending import intrinsic

    def generate(context, builder, signature, arguments):
        emit(builder, arguments, transform, size, machine.lanes())
        return context.get_dummy_value()

    @intrinsic
    def transformed(typing, source, source_row, source_column, target, target_row, target_column, added):
        whole = types.int64
        return types.void(source, whole, whole, target, whole, whole, added), generate

    return transformed


@instruction
def transform_input():
    """B^T x B of LANES channels."""
    return _intrinsic(input_transform, 6)


@instruction
def transform_filter():
    """G w G^T of LANES channels."""
    return _intrinsic(filter_transform, 3)


@instruction
def transform_output():
    """A^T m A of LANES channels."""
    return _intrinsic(output_transform, 6)


@instruction
def transform_gradient():
    """A g A^T of LANES channels."""
    return _intrinsic(gradient_transform, 4)


@instruction
def transform_weight():
    """G^T u G of LANES channels."""
    return _intrinsic(weight_transform, 6)
