"""What kernels need and Python has no word for: memory at an address, a shared counter, the bits of a number."""

from handmade.kernels.compiled.build import inline, instruction


def _pointer_from_integer(kind):
    """An intrinsic: the integer's value is an address of elements of this kind."""
    from numba import types
    from numba.extending import intrinsic

    pointer = types.CPointer(getattr(types, kind))

    @intrinsic
    def at(typing_context, address):
        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(pointer))

        return pointer(types.int64), generate

    return at


@instruction
def floats_at():
    """floats_at(address) -> Floats."""
    return _pointer_from_integer("float32")


@instruction
def ints_at():
    """ints_at(address) -> Ints."""
    return _pointer_from_integer("int64")


@instruction
def bytes_at():
    """bytes_at(address) -> Bytes."""
    return _pointer_from_integer("uint8")


@instruction
def shift():
    """shift(memory, n): the memory from its element n on."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def shift(typing_context, pointer, n):
        def generate(context, builder, signature, arguments):
            return builder.gep(arguments[0], [arguments[1]])

        return pointer(pointer, types.int64), generate

    return shift


@instruction
def address_of():
    """address_of(memory): the address as an integer, in bytes."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def address_of(typing_context, pointer):
        def generate(context, builder, signature, arguments):
            return builder.ptrtoint(arguments[0], context.get_value_type(types.int64))

        return types.int64(pointer), generate

    return address_of


@instruction
def claim():
    """claim(counter): the number of the next piece, or -1 where none of counter[1] pieces is left.

    The counter is read and raised in one step that no other thread can come between.
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def claim(typing_context, counter):
        def generate(context, builder, signature, arguments):
            integer = ir.IntType(64)
            piece = builder.atomic_rmw("add", arguments[0], ir.Constant(integer, 1), "acq_rel")
            pieces = builder.load(builder.gep(arguments[0], [ir.Constant(integer, 1)]))
            return builder.select(builder.icmp_signed("<", piece, pieces), piece, ir.Constant(integer, -1))

        return types.int64(counter), generate

    return claim


def _reinterpreted(source, target):
    """An intrinsic: the bits of a number, read as a number of another type of the same size."""
    from numba import types
    from numba.extending import intrinsic

    source, target = getattr(types, source), getattr(types, target)

    @intrinsic
    def reinterpret(typing_context, value):
        def generate(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return target(source), generate

    return reinterpret


@instruction
def double_from_bits():
    """double_from_bits(int64) -> float64."""
    return _reinterpreted("int64", "float64")


@instruction
def float_from_bits():
    """float_from_bits(int32) -> float32."""
    return _reinterpreted("int32", "float32")


@instruction
def bits_of():
    """bits_of(float32) -> int32."""
    return _reinterpreted("float32", "int32")


@instruction
def float32():
    """float32(number): rounded to 32 bits, so that a constant does not widen what it meets."""
    from numba import types

    return types.float32


@instruction
def int32():
    """int32(number): cut to a whole number of 32 bits."""
    from numba import types

    return types.int32


@inline
def as_float(bits):
    """A number that was passed among integers."""
    return float32(double_from_bits(bits))


@instruction
def add_atomically():
    """add_atomically(memory, i, number): raise memory[i] in one step that no other thread can come between.

    Gives what was there before. What was written before it is seen by whoever sees the sum.
    """
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def add_atomically(typing_context, memory, i, number):
        def generate(context, builder, signature, arguments):
            return builder.atomic_rmw("add", builder.gep(arguments[0], [arguments[1]]), arguments[2], "seq_cst")

        return types.int64(memory, types.int64, types.int64), generate

    return add_atomically


@instruction
def read_shared():
    """read_shared(memory, i): memory[i] as it is now, and with it what was written before."""
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def read_shared(typing_context, memory, i):
        def generate(context, builder, signature, arguments):
            return builder.load_atomic(builder.gep(arguments[0], [arguments[1]]), "seq_cst", 8)

        return types.int64(memory, types.int64), generate

    return read_shared


@instruction
def pause():
    """pause(): tell the processor that this loop waits, so that it saves power and leaves the memory alone."""
    import platform

    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    machine = platform.machine().lower()

    @intrinsic
    def pause(typing_context):
        def generate(context, builder, signature, arguments):
            number = ir.IntType(32)
            if machine in ("x86_64", "amd64"):
                builder.call(_declared(builder, "llvm.x86.sse2.pause", []), [])
            elif machine in ("aarch64", "arm64"):
                builder.call(_declared(builder, "llvm.aarch64.hint", [number]), [ir.Constant(number, 1)])
            return context.get_dummy_value()

        return types.none(), generate

    return pause


def _declared(builder, name, parameters):
    """An instruction of the processor, as a function of LLVM's."""
    from llvmlite import ir

    kind = ir.FunctionType(ir.VoidType(), parameters)
    return builder.module.globals.get(name) or ir.Function(builder.module, kind, name)


@instruction
def call_kernel():
    """call_kernel(code, parameters, scratch): run a kernel's machine code, all three being addresses."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def call_kernel(typing_context, code, parameters, scratch):
        def generate(context, builder, signature, arguments):
            integer, byte = ir.IntType(64), ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.IntType(32), [byte, byte, byte, integer])
            unused = builder.bitcast(builder.alloca(integer, 2), byte)
            function = builder.inttoptr(arguments[0], kind.as_pointer())
            builder.call(function, [unused, unused, builder.inttoptr(arguments[1], byte), arguments[2]])
            return context.get_dummy_value()

        return types.none(types.int64, types.int64, types.int64), generate

    return call_kernel


@instruction
def multiply_block():
    """multiply_block(sgemm, way_a, way_b, m, n, k, a, step_a, b, step_b, value, step): value = a b, by the BLAS.

    a (m, k), b (k, n) and value (m, n) are addresses of float32 matrices in rows, whose steps are counted in numbers.
    """
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    enumeration, number = ir.IntType(32), ir.FloatType()
    address = ir.IntType(8).as_pointer()
    by_rows = ir.Constant(enumeration, 101)

    @intrinsic
    def multiply_block(typing_context, sgemm, way_a, way_b, m, n, k, a, step_a, b, step_b, value, step):
        def generate(context, builder, signature, arguments):
            sgemm, way_a, way_b, m, n, k, a, step_a, b, step_b, value, step = arguments
            a, b, value = (builder.inttoptr(matrix, address) for matrix in (a, b, value))
            way_a, way_b = (builder.trunc(way, enumeration) for way in (way_a, way_b))
            one, zero = ir.Constant(number, 1.0), ir.Constant(number, 0.0)
            passed = [by_rows, way_a, way_b, m, n, k, one, a, step_a, b, step_b, zero, value, step]
            kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in passed])
            builder.call(builder.inttoptr(sgemm, kind.as_pointer()), passed)
            return context.get_dummy_value()

        return types.none(*[types.int64] * 12), generate

    return multiply_block


@instruction
def call_function():
    """call_function(address, a, b): call a function of the C library, whose arguments are addresses."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    @intrinsic
    def call_function(typing_context, function, a, b):
        def generate(context, builder, signature, arguments):
            byte = ir.IntType(8).as_pointer()
            kind = ir.FunctionType(ir.IntType(32), [byte, byte])
            function, *addresses = arguments
            passed = [builder.inttoptr(address, byte) for address in addresses]
            builder.call(builder.inttoptr(function, kind.as_pointer()), passed)
            return context.get_dummy_value()

        return types.none(*[types.int64] * 3), generate

    return call_function
