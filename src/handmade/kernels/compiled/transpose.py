"""Transposing in registers: a block of L x L numbers, L those of a vector, in log2(L) rounds of exchanges.

Read number by number, a transposition reads or writes a cache line for each of its numbers. Here L vectors are loaded,
and round s = 1, 2, 4, ... exchanges, between the vectors i and i + s, the numbers at j + s of the first with those at j
of the second (where i and j have no bit s): after all rounds number j of vector i has become number i of vector j.
"""

from handmade.kernels.compiled import machine
from handmade.kernels.compiled.build import inline, instruction
from handmade.kernels.compiled.instructions import shift


def emit(builder, source, source_step, target, target_step, lanes: int) -> None:
    """Write the LLVM code: target[j * target_step + i] = source[i * source_step + j] for i, j < lanes."""
    from llvmlite import ir

    vector, index = ir.VectorType(ir.FloatType(), lanes), ir.IntType(32)

    def row(pointer, step, i):
        place = builder.gep(pointer, [builder.mul(step, ir.Constant(ir.IntType(64), i))])
        return builder.bitcast(place, vector.as_pointer())

    def chosen(a, b, places):
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(index, lanes), places))

    rows = [builder.load(row(source, source_step, i), align=4) for i in range(lanes)]
    s = 1
    while s < lanes:
        for i in (i for i in range(lanes) if not i & s):
            a, b = rows[i], rows[i + s]
            rows[i] = chosen(a, b, [lanes + j - s if j & s else j for j in range(lanes)])
            rows[i + s] = chosen(a, b, [lanes + j if j & s else j + s for j in range(lanes)])
        s *= 2
    for i in range(lanes):
        builder.store(rows[i], row(target, target_step, i), align=4)


@instruction
def transpose_block():
    """transpose_block(source, source_step, target, target_step): LANES x LANES numbers."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def transpose_block(typing, source, source_step, target, target_step):
        def generate(context, builder, signature, arguments):
            source, source_step, target, target_step = arguments
            emit(builder, source, source_step, target, target_step, machine.lanes())
            return context.get_dummy_value()

        return types.void(source, types.int64, target, types.int64), generate

    return transpose_block


@instruction
def LANES():
    """Numbers in a vector, a constant of the compiled code."""
    return machine.lanes()


@inline
def transpose(source, source_step, target, target_step, rows, columns):
    """target[j * target_step + i] = source[i * source_step + j] for i < rows, j < columns."""
    whole_rows, whole_columns = rows // LANES * LANES, columns // LANES * LANES
    for i in range(0, whole_rows, LANES):
        for j in range(0, whole_columns, LANES):
            transpose_block(
                shift(source, i * source_step + j), source_step, shift(target, j * target_step + i), target_step
            )
        for j in range(whole_columns, columns):
            for k in range(i, i + LANES):
                target[j * target_step + k] = source[k * source_step + j]
    for i in range(whole_rows, rows):
        for j in range(columns):
            target[j * target_step + i] = source[i * source_step + j]
