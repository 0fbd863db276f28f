"""Read and write Apache Thrift's compact protocol, which Parquet uses for its metadata.

A structure is read without knowing its definition, so unknown fields are preserved. A `Struct` maps the number of each
field to its type and value; a `List` has elements of one type. The specification is in apache/thrift,
doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["BINARY", "I32", "I64", "LIST", "STRUCT", "List", "Struct", "read_struct", "write_struct"]

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT, UUID = range(1, 14)

Struct = dict[int, tuple[int, Any]]


class List(NamedTuple):
    """The elements of a list or set, and their type."""

    kind: int
    values: list[Any]


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
        return _Reader(data).struct()
    except (IndexError, RecursionError) as error:
        raise ValueError(f"not a Thrift structure: {error}") from None


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
    """Reads bytes in order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def read(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise IndexError("it ends early")
        return self.data[self.at - count : self.at]

    def varint(self) -> int:
        value = shift = 0
        while (byte := self.byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def signed(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self) -> Struct:
        found: Struct = {}
        number = 0
        while header := self.byte():
            number = number + (header >> 4) if header >> 4 else self.signed()
            kind = header & 0x0F
            found[number] = (kind, self.value(kind))
        return found

    def value(self, kind: int) -> Any:
        """Read a field's value; the type of a boolean field is its value."""
        if kind == STRUCT:
            return self.struct()
        if kind in (I16, I32, I64):
            return self.signed()
        if kind == BINARY:
            return self.read(self.varint())
        if kind in (LIST, SET):
            header = self.byte()
            count = self.varint() if header >> 4 == 15 else header >> 4
            return List(header & 0x0F, [self.element(header & 0x0F) for _ in range(count)])
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in _FIXED:
            return self.read(_FIXED[kind])
        if kind == MAP:
            count = self.varint()
            kinds = self.byte() if count else 0
            return kinds, [(self.element(kinds >> 4), self.element(kinds & 0x0F)) for _ in range(count)]
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
