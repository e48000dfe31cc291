"""Whether a module is a program: its outline, read before any engine sees it.

What is inside of functions is the engine's affair. A module that passes here may still be refused there, with the same
ending. Source: docs/spec/17-programs.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from walrus_chain.compute.abi import (
    ABI_MARK,
    ABI_VERSION,
    ENTRY,
    HOST_FUNCTIONS,
    HOST_MODULE,
    MAXIMUM_EXPORTS,
    MAXIMUM_FUNCTION_BYTES,
    MAXIMUM_FUNCTIONS,
    MAXIMUM_IMPORTS,
    MAXIMUM_MEMORY_BYTES,
    MAXIMUM_PROGRAM_BYTES,
    MAXIMUM_SECTIONS,
    MAXIMUM_TABLE_ENTRIES,
    MAXIMUM_TYPES,
    MEMORY,
    NOTHING,
    PAGE_BYTES,
    Signature,
)
from walrus_chain.errors import UnfitProgram

_HEADER: Final = b"\0asm\x01\0\0\0"
_FUNCTION, _MEMORY = 0, 2
_FUNCTION_TYPE: Final = 0x60
_VALUE_TYPES: Final = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64"}


def examine(program: bytes) -> None:
    """Checks a module's outline: size, imports, exports, memory, table, lengths of functions.

    Raises: UnfitProgram: says why.
    """
    check_size(len(program))
    if not program.startswith(_HEADER):
        raise UnfitProgram("it does not begin like a WASM module of version 1")
    outline = _Outline()
    reader = _Reader(program, len(_HEADER), len(program))
    for _ in range(MAXIMUM_SECTIONS):
        if reader.at_end:
            break
        section, part = reader.byte(), reader.part()
        _read_section(section, part, outline)
    if not reader.at_end:
        raise UnfitProgram(f"it has more than {MAXIMUM_SECTIONS:,} sections")
    _judge(outline)


def check_size(size: int) -> None:
    """Checks a module's size, which is known before its bytes are.

    Raises: UnfitProgram.
    """
    if size > MAXIMUM_PROGRAM_BYTES:
        raise UnfitProgram(f"it has {size:,} bytes, {MAXIMUM_PROGRAM_BYTES:,} are allowed")


@dataclass(slots=True)
class _Outline:
    types: list[Signature | None] = field(default_factory=list)
    """None is a type with values that the ABI does not have."""
    functions: list[int] = field(default_factory=list)
    """Numbers of types; imported functions come first."""
    memories: list[int] = field(default_factory=list)
    """Pages at the beginning."""
    exports: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Kind and number, by name."""


class _Reader:
    """Reads a stretch of bytes from the front."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    @property
    def at_end(self) -> bool:
        return self._at == self._end

    def byte(self) -> int:
        if self._at >= self._end:
            raise UnfitProgram("it is cut off")
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        """An unsigned LEB128 of up to 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                if value >= 2**32:
                    break
                return value
        raise UnfitProgram("it holds a number that is too long")

    def count(self, what: str, maximum: int) -> int:
        count = self.number()
        if count > maximum:
            raise UnfitProgram(f"it has {count:,} {what}, {maximum:,} are allowed")
        return count

    def part(self) -> _Reader:
        """A stretch that begins with its length; skipped here."""
        length = self.number()
        start = self._at
        if length > self._end - start:
            raise UnfitProgram("it is cut off")
        self._at += length
        return _Reader(self._data, start, self._at)

    def rest(self) -> bytes:
        return self._data[self._at : self._end]

    @property
    def length(self) -> int:
        return self._end - self._at

    def name(self) -> str:
        try:
            return self.part().rest().decode()
        except UnicodeDecodeError:
            raise UnfitProgram("it holds a name that is no UTF-8") from None

    def minimum(self) -> int:
        """The lower of two limits, the other skipped; only of memories and tables that are neither shared nor large."""
        flags = self.byte()
        if flags > 1:
            raise UnfitProgram("it has a memory or table of a kind that is not allowed")
        minimum = self.number()
        if flags:
            self.number()
        return minimum


def _read_section(section: int, part: _Reader, outline: _Outline) -> None:
    match section:
        case 1:
            outline.types.extend(_read_type(part) for _ in range(part.count("types", MAXIMUM_TYPES)))
        case 2:
            for _ in range(part.count("imports", MAXIMUM_IMPORTS)):
                outline.functions.append(_read_import(part, outline))
        case 3:
            outline.functions.extend(part.number() for _ in range(part.count("functions", MAXIMUM_FUNCTIONS)))
        case 4:
            for _ in range(part.count("tables", 1)):
                part.byte()
                if (entries := part.minimum()) > MAXIMUM_TABLE_ENTRIES:
                    raise UnfitProgram(f"its table has {entries:,} entries, {MAXIMUM_TABLE_ENTRIES:,} are allowed")
        case 5:
            outline.memories.extend(part.minimum() for _ in range(part.count("memories", 1)))
        case 7:
            for _ in range(part.count("exports", MAXIMUM_EXPORTS)):
                name = part.name()
                outline.exports[name] = part.byte(), part.number()
        case 8:
            raise UnfitProgram("it has a start function; everything must begin in `run`")
        case 10:
            for _ in range(part.count("functions", MAXIMUM_FUNCTIONS)):
                if (length := part.part().length) > MAXIMUM_FUNCTION_BYTES:
                    raise UnfitProgram(f"a function has {length:,} bytes, {MAXIMUM_FUNCTION_BYTES:,} are allowed")
        case _:
            pass  # for the engine to judge


def _read_type(part: _Reader) -> Signature | None:
    if part.byte() != _FUNCTION_TYPE:
        raise UnfitProgram("it has a type that is no function")
    parameters, results = (tuple(_VALUE_TYPES.get(value) for value in part.part().rest()) for _ in range(2))
    if None in parameters or None in results:
        return None
    return Signature(tuple(filter(None, parameters)), tuple(filter(None, results)))


def _read_import(part: _Reader, outline: _Outline) -> int:
    module, name, kind, number = part.name(), part.name(), part.byte(), part.number()
    wanted = HOST_FUNCTIONS.get(name)
    if module != HOST_MODULE or wanted is None or kind != _FUNCTION:
        raise UnfitProgram(f"it imports {module}.{name}, which is not there")
    if outline.types[number : number + 1] != [wanted]:
        raise UnfitProgram(f"it imports {module}.{name} with other types than {wanted}")
    return number


def _judge(outline: _Outline) -> None:
    mark = f"{ABI_MARK}{ABI_VERSION}"
    if mark not in outline.exports:
        others = [name for name in outline.exports if name.startswith(ABI_MARK)]
        raise UnfitProgram(f"it is for {others[0]}, this is {mark}" if others else f"it does not export {mark}")
    for name in (mark, ENTRY):
        kind, number = outline.exports.get(name, (_MEMORY, 0))
        types = outline.functions[number : number + 1] if kind == _FUNCTION else []
        if not types or outline.types[types[0] : types[0] + 1] != [NOTHING]:
            raise UnfitProgram(f"it does not export a function {name} that takes and gives nothing")
    if outline.exports.get(MEMORY) != (_MEMORY, 0) or not outline.memories:
        raise UnfitProgram(f"it does not export its {MEMORY}")
    if outline.memories[0] * PAGE_BYTES > MAXIMUM_MEMORY_BYTES:
        raise UnfitProgram(f"its memory begins above {MAXIMUM_MEMORY_BYTES:,} bytes")
