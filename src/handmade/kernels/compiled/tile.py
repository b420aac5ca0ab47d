"""The one block from which all products are made: a tile of registers.

    C[m, n] (+)= sum over taps t, sum over depth d of A[m, t, d] * B[t, d, n]        m < ROWS, n < COLUMNS

A processor multiplies and adds two vectors of L numbers per cycle, but loads no more than two. So the numbers must be
used more than once when they are loaded: a tile keeps ROWS x VECTORS vectors of C in registers, and for each step of
the sum loads VECTORS vectors of B and ROWS single numbers of A, each of which meets the other in a multiplication.
With 16 registers, 6 x 2 vectors of sums leave room for two of B and one of A: 8 loads for 12 multiplications. With 32
registers (AVX-512, NEON) it is 8 x 2.

Where the rows of A and C lie is told by tables of byte offsets, and so are the taps. That is what makes one tile
serve everything:

    matrix product        one tap; the rows lie a row of the matrix apart
    convolution           a row is an output position, a tap is a place of the kernel, the depth runs over channels:
                          positions of several image rows, or of several images, fill a tile together, and no patch
                          is ever copied ("im2col" copies each pixel R*S times)
    its weight's gradient a row is a channel, a tap an image row, and the depth runs over its positions

(Georganas et al. 2020, "Harnessing Deep Learning via a Single Building Block".) A table may name a row twice: the tile
at the edge, with fewer rows than ROWS, repeats its last one, computes the same twice and stores it twice.
"""

from handmade.kernels.compiled import machine
from handmade.kernels.compiled.build import inline, instruction

VECTORS = 2
"""Vectors side by side in a tile."""


def tile_rows() -> int:
    """Rows of a tile on this machine."""
    return 6 if machine.registers() == 16 else 8


def tile_columns() -> int:
    """Columns of a tile on this machine."""
    return VECTORS * machine.lanes()


ARGUMENTS = (
    "a",
    "a_rows",
    "a_taps",
    "a_step",
    "b",
    "b_taps",
    "b_step",
    "taps",
    "depth",
    "c",
    "c_rows",
    "start",
    "width",
)


def emit(builder, arguments, lanes: int, rows: int, vectors: int) -> None:
    """Write the tile's LLVM code; `arguments` are ARGUMENTS, integers of 64 bits.

    a, b, c are addresses; a_rows, c_rows (rows,) and a_taps, b_taps (taps,) addresses of tables of byte offsets; a_step
    and b_step the bytes from one d to the next. start is 0 for a sum that starts at zero, 1 for one that is added to C,
    or the address of the numbers that every row starts from, as many as a whole tile has columns. Only `width`
    columns of C are read and written, but B must be readable over the tile's whole width: it is packed with zeros
    beside its last column.
    """
    from llvmlite import ir

    integer, single = ir.IntType(64), ir.FloatType()
    vector, flags, lane = ir.VectorType(single, lanes), ir.VectorType(ir.IntType(1), lanes), ir.IntType(32)
    module, function = builder.module, builder.function
    given = dict(zip(ARGUMENTS, arguments, strict=True))
    constant = lambda value: ir.Constant(integer, value)
    zero = ir.Constant(vector, [0.0] * lanes)

    def intrinsic(name, kind):
        full = f"llvm.{name}"
        return module.globals.get(full) or ir.Function(module, kind, full)

    fma = intrinsic(f"fma.v{lanes}f32", ir.FunctionType(vector, [vector] * 3))
    pointer = vector.as_pointer()
    masked_load = intrinsic(f"masked.load.v{lanes}f32.p0", ir.FunctionType(vector, [pointer, lane, flags, vector]))
    masked_store = intrinsic(
        f"masked.store.v{lanes}f32.p0", ir.FunctionType(ir.VoidType(), [vector, pointer, lane, flags])
    )
    width = builder.trunc(given["width"], lane)
    spread = builder.shuffle_vector(
        builder.insert_element(ir.Constant(ir.VectorType(lane, lanes), ir.Undefined), width, ir.Constant(lane, 0)),
        ir.Constant(ir.VectorType(lane, lanes), ir.Undefined),
        ir.Constant(ir.VectorType(lane, lanes), [0] * lanes),
    )
    inside = [
        builder.icmp_signed(
            "<", ir.Constant(ir.VectorType(lane, lanes), list(range(v * lanes, (v + 1) * lanes))), spread
        )
        for v in range(vectors)
    ]

    def at(address, offset, kind):
        return builder.inttoptr(builder.add(address, offset), kind.as_pointer())

    def load(address, v, masked=False):
        place = at(address, constant(4 * lanes * v), vector)
        if masked:
            return builder.call(masked_load, [place, ir.Constant(lane, 4), inside[v], zero])
        return builder.load(place, align=4)

    def store(value, address, v, masked):
        place = at(address, constant(4 * lanes * v), vector)
        if masked:
            builder.call(masked_store, [value, place, ir.Constant(lane, 4), inside[v]])
        else:
            builder.store(value, place, align=4)

    def table(name, index):
        return builder.load(at(given[name], builder.mul(index, constant(8)), integer))

    def variable(kind, value):
        with builder.goto_entry_block():
            place = builder.alloca(kind)
        builder.store(value, place)
        return place

    def loop(count, body):
        """body(i) for i < count, which is at least 1."""
        place = variable(integer, constant(0))
        block, after = function.append_basic_block(), function.append_basic_block()
        builder.branch(block)
        builder.position_at_end(block)
        index = builder.load(place)
        body(index)
        following = builder.add(index, constant(1))
        builder.store(following, place)
        builder.cbranch(builder.icmp_signed("<", following, count), block, after)
        builder.position_at_end(after)

    places = [(m, v) for m in range(rows) for v in range(vectors)]
    a_row = [builder.add(given["a"], table("a_rows", constant(m))) for m in range(rows)]
    c_row = [builder.add(given["c"], table("c_rows", constant(m))) for m in range(rows)]
    sums = {place: variable(vector, zero) for place in places}
    whole = builder.icmp_signed(">=", given["width"], constant(lanes * vectors))
    with builder.if_then(builder.icmp_signed("==", given["start"], constant(1))), builder.if_else(whole) as branches:
        for branch, masked in zip(branches, (False, True), strict=True):
            with branch:
                for m, v in places:
                    builder.store(load(c_row[m], v, masked), sums[m, v])
    with builder.if_then(builder.icmp_unsigned(">", given["start"], constant(1))):
        for v in range(vectors):
            value = load(given["start"], v)
            for m in range(rows):
                builder.store(value, sums[m, v])

    def tap(t):
        b_place = variable(integer, builder.add(given["b"], table("b_taps", t)))
        a_place = variable(integer, table("a_taps", t))

        def step(_):
            b, a = builder.load(b_place), builder.load(a_place)
            columns = [load(b, v) for v in range(vectors)]
            for m in range(rows):
                number = builder.load(at(a_row[m], a, single), align=4)
                undefined = ir.Constant(vector, ir.Undefined)
                number = builder.shuffle_vector(
                    builder.insert_element(undefined, number, ir.Constant(lane, 0)),
                    undefined,
                    ir.Constant(ir.VectorType(lane, lanes), [0] * lanes),
                )
                for v in range(vectors):
                    total = builder.load(sums[m, v])
                    builder.store(builder.call(fma, [number, columns[v], total]), sums[m, v])
            builder.store(builder.add(b, given["b_step"]), b_place)
            builder.store(builder.add(a, given["a_step"]), a_place)

        loop(given["depth"], step)

    loop(given["taps"], tap)
    with builder.if_else(whole) as branches:
        for branch, masked in zip(branches, (False, True), strict=True):
            with branch:
                for m, v in places:
                    store(builder.load(sums[m, v]), c_row[m], v, masked)


def _intrinsic(vectors: int):
    from numba import types
    from numba.extending import intrinsic

    def generate(context, builder, signature, arguments):
        emit(builder, arguments, machine.lanes(), tile_rows(), vectors)
        return context.get_dummy_value()

    integers = [types.int64] * len(ARGUMENTS)

    @intrinsic
    def tile(typing, a, a_rows, a_taps, a_step, b, b_taps, b_step, taps, depth, c, c_rows, start, width):
        return types.void(*integers), generate

    return tile


@instruction
def full_tile():
    """A tile of more columns than one vector has."""
    return _intrinsic(VECTORS)


@instruction
def thin_tile():
    """A tile of columns that fit one vector."""
    return _intrinsic(1)


@instruction
def ROWS():
    """The tile's rows, a constant of the compiled code."""
    return tile_rows()


@instruction
def COLUMNS():
    """The tile's columns, a constant of the compiled code."""
    return tile_columns()


@inline
def tile(a, a_rows, a_taps, a_step, b, b_taps, b_step, taps, depth, c, c_rows, start, width):
    """One tile of any width up to COLUMNS; see `emit`."""
    if 2 * width > COLUMNS:
        full_tile(a, a_rows, a_taps, a_step, b, b_taps, b_step, taps, depth, c, c_rows, start, width)
    else:
        thin_tile(a, a_rows, a_taps, a_step, b, b_taps, b_step, taps, depth, c, c_rows, start, width)
