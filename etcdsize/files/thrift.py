"""Read and write Apache Thrift's compact protocol, which Parquet uses for its metadata.

A structure is read without knowing its definition, so unknown fields are preserved. A `Struct` maps the number of each
field to its type and value; a `List` has elements of one type. The specification is in apache/thrift,
doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    *("BINARY", "I16", "I32", "I64", "LIST", "STRUCT", "List", "Shape", "Struct"),
    *("begin_struct", "check_struct", "read_struct", "write_struct"),
]

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)
# The limits of the whole numbers: other readers cut off what is beyond them, and so would see another number.
_ENDS = {I16: 2**15, I32: 2**31, I64: 2**63}
# Structures within structures. Parquet's own need fewer than ten (our choice).
_DEEPEST = 40

Struct = dict[int, tuple[int, Any]]


class List(NamedTuple):
    """The elements of a list or set, and their type."""

    kind: int
    values: list[Any]


class Shape(NamedTuple):
    """What a structure has to be."""

    name: str
    """What to call it in a message."""
    fields: dict[int, Any]
    """The fields by number: a type, a shape, or a list of one of them."""
    required: tuple[int, ...] = ()
    """The fields that it must have."""


def read_struct(data: bytes) -> Struct:
    """Return the structure at the beginning of `data`.

    Raises
    ------
    ValueError
        For bytes that are not a structure.

    Examples
    --------
    >>> read_struct(bytes([0x15, 0x04, 0x18, 0x01, 0x61, 0x00]))
    {1: (5, 2), 2: (8, b'a')}
    """
    try:
        return begin_struct(data)[0]
    except EOFError as error:
        raise ValueError(str(error)) from None


def begin_struct(data: bytes) -> tuple[Struct, int]:
    """Return the structure at the beginning of `data`, and its size. [bytes]

    Raises
    ------
    EOFError
        For bytes that end before the structure does.
    ValueError
        For bytes that are not a structure.
    """
    reader = _Reader(data)
    try:
        return reader.struct(), reader.at
    except IndexError:
        raise EOFError("not a Thrift structure: it ends early") from None


def check_struct(struct: Struct, shape: Shape) -> None:
    """Check that a structure has the fields that it must have, and that its fields have the expected types.

    Fields that the shape does not have may be anything.

    Raises
    ------
    ValueError
        For the first field of another type, or that is missing.
    """
    for number, (kind, value) in struct.items():
        expected = shape.fields.get(number, kind)
        listed = (value,)
        if type(expected) is list and kind == LIST:
            [expected] = expected
            kind, listed = value
            if not listed:
                continue
        if kind != (STRUCT if type(expected) is Shape else expected):
            raise ValueError(f"its metadata is damaged: the field {number} of a {shape.name} is of another type")
        if type(expected) is Shape:
            for part in listed:
                check_struct(part, expected)
    for number in shape.required:
        if number not in struct:
            raise ValueError(f"its metadata is damaged: a {shape.name} lacks the field {number}")


def write_struct(struct: Struct) -> bytes:
    """Return the bytes of a structure.

    Examples
    --------
    >>> write_struct({1: (I32, 2), 2: (BINARY, b"a")}).hex(" ")
    '15 04 18 01 61 00'
    """
    out = bytearray()
    _write(out, STRUCT, struct)
    return bytes(out)


class _Reader:
    """Reads bytes in order. Behind the last one it raises an IndexError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.depth = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def read(self, count: int) -> bytes:
        start = self.at
        self.at = start + count
        if self.at > len(self.data):
            raise IndexError
        return self.data[start : self.at]

    def varint(self) -> int:
        value = shift = 0
        while (byte := self.byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise ValueError("not a Thrift structure: a number of more than 64 bits")
        return value | byte << shift

    def signed(self, kind: int) -> int:
        value = self.varint()
        value = (value >> 1) ^ -(value & 1)
        if not -_ENDS[kind] <= value < _ENDS[kind]:
            raise ValueError(f"not a Thrift structure: {value} does not fit its type")
        return value

    def count(self) -> int:
        """Read the number of elements that follow: each takes a byte at least."""
        count = self.varint()
        if count > len(self.data) - self.at:
            raise IndexError
        return count

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("not a Thrift structure: it is nested too deeply")

    def struct(self) -> Struct:
        self.deeper()
        found: Struct = {}
        number = 0
        data = self.data
        while header := data[self.at]:
            self.at += 1
            number = number + (header >> 4) if header >> 4 else self.signed(I16)
            kind = header & 0x0F
            if number in found or number >= _ENDS[I16]:
                raise ValueError(f"not a Thrift structure: the field {number} is repeated, or impossible")
            # A number of one byte is read here, because most fields are such numbers.
            if kind in _ENDS and (byte := data[self.at]) < 0x80:
                self.at += 1
                found[number] = (kind, (byte >> 1) ^ -(byte & 1))
            else:
                found[number] = (kind, self.value(kind))
        self.at += 1
        self.depth -= 1
        return found

    def value(self, kind: int) -> Any:
        """Read a field's value; the type of a boolean field is its value."""
        if kind in _ENDS:
            return self.signed(kind)
        if kind == BINARY:
            return self.read(self.varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            header = self.byte()
            count = self.count() if header >> 4 == 15 else header >> 4
            self.deeper()
            values = [self.element(header & 0x0F) for _ in range(count)]
            self.depth -= 1
            return List(header & 0x0F, values)
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in _FIXED:
            return self.read(_FIXED[kind])
        if kind == MAP:
            count = self.count()
            kinds = self.byte() if count else 0
            self.deeper()
            pairs = [(self.element(kinds >> 4), self.element(kinds & 0x0F)) for _ in range(count)]
            self.depth -= 1
            return kinds, pairs
        raise ValueError(f"not a Thrift structure: the type {kind}")

    def element(self, kind: int) -> Any:
        """Read an element of a list or map, where a boolean is a byte."""
        return self.byte() if kind in (TRUE, FALSE) else self.value(kind)


_FIXED = {BYTE: 1, DOUBLE: 8, UUID: 16}


def _write(out: bytearray, kind: int, value: Any) -> None:
    if kind == STRUCT:
        last = 0
        for number, (inner, item) in value.items():
            inner = (TRUE if item else FALSE) if inner in (TRUE, FALSE) else inner
            step = number - last
            if 0 < step <= 15:
                out.append(step << 4 | inner)
            else:
                out.append(inner)
                _write_varint(out, _zigzag(number))
            last = number
            if inner not in (TRUE, FALSE):
                _write(out, inner, item)
        out.append(0)
    elif kind in (I16, I32, I64):
        _write_varint(out, _zigzag(value))
    elif kind == BINARY:
        _write_varint(out, len(value))
        out += value
    elif kind in (LIST, SET):
        count = len(value.values)
        out.append(min(count, 15) << 4 | value.kind)
        if count >= 15:
            _write_varint(out, count)
        for item in value.values:
            _write_element(out, value.kind, item)
    elif kind == MAP:
        kinds, items = value
        _write_varint(out, len(items))
        if items:
            out.append(kinds)
        for key, item in items:
            _write_element(out, kinds >> 4, key)
            _write_element(out, kinds & 0x0F, item)
    else:
        out += value


def _write_element(out: bytearray, kind: int, value: Any) -> None:
    if kind in (TRUE, FALSE):
        out.append(value)
    else:
        _write(out, kind, value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _write_varint(out: bytearray, value: int) -> None:
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
