"""A reader of pickles that runs nothing.

A pickle is a program for a small stack machine. Most of its instructions push data or gather them into containers; a
few name a function of the reader's Python and call it, and Python's own `pickle.load` obeys: whoever wrote the file
decides what runs. Here the machine is our own. It knows the instructions that PyTorch's state dicts need (protocols
1 to 5), a name stands only for what the caller's table of names says, and every other instruction and name is refused.

It is bounded as well: it never holds more than the file's bytes and a limited number of objects, it never recurses,
and only plain scalars become keys (hashing a deeply nested tuple would recurse, inside Python itself).

    data      B"..."  ->  instructions  ->  stack  ->  one value
    memo      values by number, for what is said more than once
    marks     places on the stack where a tuple, a list or a batch of pairs began
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from handmade.errors import InputError

MAX_INSTRUCTIONS = 2_000_000
"""A state dict takes about 25 instructions per tensor: this is enough for 80,000 tensors."""

MAX_COPIES = 4
"""How often builders may get the file's bytes: those of a NumPy array come as text, become bytes, then numbers."""

Bytes = Any
"""bytes or an mmap: indexing gives an int, slicing gives bytes."""


@dataclass(frozen=True)
class Name:
    """What a pickle names by module and function; `build` is what it stands for here, None if it cannot be called."""

    path: str
    build: Callable[..., Any] | None


@runtime_checkable
class TakesState(Protocol):
    """A value of ours that a BUILD instruction completes."""

    def set_state(self, state: Any) -> None: ...


def read_pickle(
    data: Bytes,
    position: int = 0,
    *,
    source: str,
    names: Mapping[str, Callable[..., Any] | None],
    persistent: Callable[[Any], Any] | None = None,
) -> tuple[Any, int]:
    """The value of the pickle that begins at byte `position`, and the position after it.

    Args:
        data: the file's bytes.
        position: where the pickle begins.
        source: the file's name, for messages.
        names: what each allowed "module.name" stands for; None for those that may be mentioned but not called.
        persistent: turns a persistent id (PyTorch's way to speak of a storage) into a value; without it they are
            refused.

    Raises:
        InputError: the pickle is damaged, or it asks for anything beyond data.
    """
    machine = _Machine(data, position, source, names, persistent)
    try:
        return machine.run(), machine.position
    except InputError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise InputError(
            f"{source} is damaged: its pickle makes no sense at byte {machine.position} ({shown(str(error))})"
        ) from None


def refusal(source: str, what: str) -> InputError:
    """The error for a file that wants more than to be read."""
    return InputError(
        f"{source} asks {what}; handmade reads arrays and runs nothing. If the file holds a whole PyTorch model, "
        f"save its arrays alone there: torch.save(model.state_dict(), path)"
    )


def shown(text: str, limit: int = 100) -> str:
    """`text` from a file made fit for a message: no control characters, not too long."""
    safe = ascii(text[: limit + 1])[1:-1]
    return safe if len(text) <= limit else safe[:limit] + "..."


def dict_key(key: Any) -> Any:
    """`key`, if it is a scalar that hashes at once (see above); integers up to 64 bits, so that hashes rarely meet."""
    if type(key) not in (str, int, float, bool, bytes, type(None)):
        raise TypeError(f"a {type(key).__name__} as a dictionary's key")
    if type(key) is int and not -(2**63) <= key < 2**63:
        raise ValueError("a huge integer as a dictionary's key")
    return key


INSTRUCTIONS: dict[int, Callable[["_Machine"], None]] = {}


def instruction(code: bytes):
    """Register a method of the machine under its byte."""

    def register(method):
        INSTRUCTIONS[code[0]] = method
        return method

    return register


class _Machine:
    def __init__(self, data, position, source, names, persistent):
        self.data = data
        self.position = position
        self.source = source
        self.names = names
        self.persistent = persistent
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.copied = 0  # bytes and items handed to builders, which may copy them

    def run(self) -> Any:
        for _ in range(MAX_INSTRUCTIONS):
            code = self.take(1)[0]
            if code == ord("."):  # STOP
                return self.pop()
            if code not in INSTRUCTIONS:
                raise refusal(self.source, f"for {_described(code)}")
            INSTRUCTIONS[code](self)
        raise InputError(f"{self.source} is no state dict: its pickle has over {MAX_INSTRUCTIONS:,} instructions")

    # -- bytes

    def take(self, count: int) -> bytes:
        start, end = self.position, self.position + count
        if end > len(self.data):
            raise InputError(f"{self.source} is cut short: its pickle ends at byte {len(self.data)}, inside a value")
        self.position = end
        return self.data[start:end]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> str:
        end = self.data.find(b"\n", self.position)
        if end < 0:
            raise InputError(f"{self.source} is cut short: a line of its pickle does not end")
        text = self.take(end - self.position).decode("utf-8")
        self.position += 1
        return text

    # -- the stack

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise IndexError("a value is taken from an empty stack")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        if not self.marks:
            raise IndexError("a container ends that never began")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def top(self, kind: type) -> Any:
        value = self.pop()
        if not isinstance(value, kind):
            raise TypeError(f"a {type(value).__name__} where a {kind.__name__} belongs")
        self.stack.append(value)
        return value

    def recall(self, number: int) -> None:
        if number not in self.memo:
            raise IndexError(f"value {number} is asked for, which was never stored")
        self.stack.append(self.memo[number])

    def charge(self, arguments: tuple | dict) -> None:
        """Count what a builder may copy: a value said once in the file cannot be built from a thousand times."""
        self.copied += sum(len(a) for a in arguments if isinstance(a, (str, bytes, list, dict, tuple, set)))
        if self.copied > MAX_COPIES * len(self.data):
            raise ValueError(f"it builds more than {MAX_COPIES} times what the file holds")

    def push_name(self, path: str) -> None:
        if path not in self.names:
            raise refusal(self.source, f"to run {shown(path)}")
        self.stack.append(Name(path, self.names[path]))

    # -- instructions: the mark, the memo, what is pushed again

    @instruction(b"\x80")
    def protocol(self):
        if self.take(1)[0] > 5:
            raise ValueError("a protocol above 5")

    @instruction(b"\x95")
    def frame(self):
        self.take(8)

    @instruction(b"(")
    def mark(self):
        self.marks.append(len(self.stack))

    @instruction(b"0")
    def discard(self):
        self.pop()

    @instruction(b"1")
    def discard_to_mark(self):
        self.pop_to_mark()

    @instruction(b"2")
    def duplicate(self):
        self.stack.append(self.top(object))

    @instruction(b"h")
    def get(self):
        self.recall(self.take(1)[0])

    @instruction(b"j")
    def get_long(self):
        self.recall(self.number("<I"))

    @instruction(b"q")
    def put(self):
        self.memo[self.take(1)[0]] = self.top(object)

    @instruction(b"r")
    def put_long(self):
        self.memo[self.number("<I")] = self.top(object)

    @instruction(b"\x94")
    def memoize(self):
        self.memo[len(self.memo)] = self.top(object)

    # -- instructions: integers written out, of any length

    @instruction(b"I")
    def integer_line(self):
        text = self.line()
        self.stack.append({"00": False, "01": True}[text] if text in ("00", "01") else int(text))

    @instruction(b"L")
    def long_line(self):
        self.stack.append(int(self.line().removesuffix("L")))

    @instruction(b"\x8a")
    def long_1(self):
        self.stack.append(int.from_bytes(self.take(self.take(1)[0]), "little", signed=True))

    @instruction(b"\x8b")
    def long_4(self):
        self.stack.append(int.from_bytes(self.take(self.number("<I")), "little", signed=True))

    # -- instructions: containers

    @instruction(b"t")
    def tuple_from_mark(self):
        self.stack.append(tuple(self.pop_to_mark()))

    @instruction(b"a")
    def append(self):
        item = self.pop()
        self.top(list).append(item)

    @instruction(b"e")
    def appends(self):
        items = self.pop_to_mark()
        self.top(list).extend(items)

    @instruction(b"s")
    def set_item(self):
        value, key = self.pop(), self.pop()
        self.top(dict)[dict_key(key)] = value

    @instruction(b"u")
    def set_items(self):
        items = self.pop_to_mark()
        pairs = zip(items[::2], items[1::2], strict=True)
        self.top(dict).update((dict_key(key), value) for key, value in pairs)

    @instruction(b"\x90")
    def add_items(self):
        items = self.pop_to_mark()
        self.top(set).update(dict_key(item) for item in items)

    @instruction(b"\x91")
    def frozen_set(self):
        self.stack.append({dict_key(item) for item in self.pop_to_mark()})

    # -- instructions: names, and the calls that the table of names allows

    @instruction(b"c")
    def name_lines(self):
        module = self.line()
        self.push_name(f"{module}.{self.line()}")

    @instruction(b"\x93")
    def name_from_stack(self):
        name, module = self.pop(), self.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise TypeError("a name that is not text")
        self.push_name(f"{module}.{name}")

    @instruction(b"i")
    def instance(self):
        module = self.line()
        raise refusal(self.source, f"to run {shown(f'{module}.{self.line()}')}")

    @instruction(b"R")
    def reduce(self):
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or not isinstance(arguments, tuple):
            raise TypeError("a call of something that is no function")
        if function.build is None:
            raise refusal(self.source, f"to run {function.path}")
        self.charge(arguments)
        self.stack.append(function.build(*arguments))

    @instruction(b"\x81")
    def new_object(self):
        self.reduce()

    @instruction(b"b")
    def build(self):
        state, target = self.pop(), self.top(object)
        if isinstance(target, TakesState):
            self.charge(state)
            target.set_state(state)
        elif not isinstance(target, dict):  # attributes of an OrderedDict, as _metadata, are not arrays: dropped
            raise TypeError(f"a state for a {type(target).__name__}")

    @instruction(b"Q")
    def persistent_id(self):
        if self.persistent is None:
            raise refusal(self.source, "for an object from outside of the file")
        self.stack.append(self.persistent(self.pop()))


def _register_constants() -> None:
    constants = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
    for code, value in constants.items():
        INSTRUCTIONS[code[0]] = lambda machine, value=value: machine.stack.append(value)
    for code, container in {b"]": list, b"}": dict, b"\x8f": set}.items():
        INSTRUCTIONS[code[0]] = lambda machine, container=container: machine.stack.append(container())


def _register_numbers() -> None:
    forms = {b"J": "<i", b"K": "<B", b"M": "<H", b"G": ">d"}
    for code, form in forms.items():
        INSTRUCTIONS[code[0]] = lambda machine, form=form: machine.stack.append(machine.number(form))


def _register_strings() -> None:
    texts = {b"X": "<I", b"\x8c": "<B", b"\x8d": "<Q"}
    python_2_texts = {b"U": "<B", b"T": "<I"}  # bytes by another name: latin-1 keeps each of them
    raw = {b"C": "<B", b"B": "<I", b"\x8e": "<Q", b"\x96": "<Q"}
    for forms, encoding in ((texts, "utf-8"), (python_2_texts, "latin-1"), (raw, None)):
        for code, form in forms.items():

            def push(machine: _Machine, form: str = form, encoding: str | None = encoding) -> None:
                value = machine.take(machine.number(form))
                machine.stack.append(value.decode(encoding) if encoding else value)

            INSTRUCTIONS[code[0]] = push


def _register_short_tuples() -> None:
    for code, count in {b"\x85": 1, b"\x86": 2, b"\x87": 3}.items():

        def push(machine: _Machine, count: int = count) -> None:
            machine.stack.append(tuple([machine.pop() for _ in range(count)][::-1]))

        INSTRUCTIONS[code[0]] = push


_register_constants()
_register_numbers()
_register_strings()
_register_short_tuples()


def _described(code: int) -> str:
    import pickletools

    names = {known.code: known.name for known in pickletools.opcodes}
    name = names.get(chr(code))
    return f"the pickle instruction {name}" if name else f"an unknown pickle instruction, {code:#04x}"
