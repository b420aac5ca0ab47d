"""The tile is written for vectors of every width, and for processors other than this one."""

import pytest

from handmade.kernels.compiled import machine, tile

llvm = pytest.importorskip("llvmlite.binding")


def assembly(triple: str, processor: str, features: str, lanes: int, rows: int) -> str:
    """The tile alone, compiled for that processor."""
    from llvmlite import ir

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = ir.Module()
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * len(tile.ARGUMENTS))
    function = ir.Function(module, kind, "tile")
    builder = ir.IRBuilder(function.append_basic_block())
    tile.emit(builder, function.args, lanes, rows, tile.VECTORS)
    builder.ret_void()
    parsed = llvm.parse_assembly(str(module))
    target = llvm.Target.from_triple(triple).create_target_machine(cpu=processor, features=features, opt=3)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    builder = llvm.create_pass_builder(target, options)
    builder.getModulePassManager().run(parsed, builder)
    return target.emit_assembly(parsed)


@pytest.mark.parametrize(
    ("triple", "processor", "features", "lanes", "rows", "instruction", "register"),
    [
        ("x86_64-linux-gnu", "znver3", "", 8, 6, "vfmadd", "%ymm15"),
        ("x86_64-linux-gnu", "skylake-avx512", "-prefer-256-bit", 16, 8, "vfmadd", "%zmm17"),
        ("aarch64-linux-gnu", "apple-m1", "+neon", 4, 8, "fmla", "v16.4s"),
    ],
)
def test_the_tile_keeps_its_sums_in_registers(triple, processor, features, lanes, rows, instruction, register):
    code = assembly(triple, processor, features, lanes, rows)
    products = [line for line in code.splitlines() if instruction in line]
    assert len(products) >= rows * tile.VECTORS
    assert len(products) % (rows * tile.VECTORS) == 0
    assert register in code


def test_a_wrong_width_is_named(monkeypatch):
    machine.vector_bits.cache_clear()
    monkeypatch.setenv("HANDMADE_VECTOR_BITS", "64")
    with pytest.raises(ValueError, match="HANDMADE_VECTOR_BITS is '64', expected one of 128, 256, 512"):
        machine.vector_bits()
    monkeypatch.setenv("HANDMADE_VECTOR_BITS", "128")
    assert machine.vector_bits() == 128
    machine.vector_bits.cache_clear()
