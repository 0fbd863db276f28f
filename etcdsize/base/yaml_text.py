"""Parse YAML strictly: repeated fields and aliases are errors, and every value is text, or None for null."""

from __future__ import annotations

from typing import Any

from etcdsize.base.text import one_line, shown
from etcdsize.errors import MissingDependencyError, TableError

__all__ = ["yaml_documents"]

# https://yaml.org/spec/1.2.2/#10321-tag-resolution
_NULL = ("null", "Null", "NULL", "~")


def yaml_documents(text: str, extra: str = "observe") -> list[Any]:
    """Return the documents in a text, made of lists, objects, texts and None; `extra` is what installs the parser."""
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(package="pyyaml", extra=extra) from error
    # The parser in C is not part of every installation.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return [_value(node, set()) for node in yaml.compose_all(text.removeprefix("\ufeff"), loader)]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else _place(mark)
        raise TableError(f"not YAML: {one_line(getattr(error, 'problem', None) or str(error))}{where}") from None
    except UnicodeEncodeError as error:
        # The parser encodes text first, and half of a surrogate pair has no encoding.
        raise TableError(f"not YAML: character {error.start + 1} is not Unicode text") from None
    except RecursionError:
        raise TableError("not YAML: it is nested too deeply") from None


def _value(node: Any, seen: set[int]) -> Any:
    """Return the value of a node."""
    if node.id == "scalar":
        # Quoted, they are text. An empty value is an empty text, as it is to Prometheus.
        return None if not node.style and node.value in _NULL else node.value
    if id(node) in seen:
        # A few lines of aliases may stand for billions of values.
        raise TableError(f"not plain YAML: a list or an object has an alias; write it out{_place(node.start_mark)}")
    seen.add(id(node))
    if node.id == "sequence":
        return [_value(one, seen) for one in node.value]
    fields: dict[str, Any] = {}
    for key, value in node.value:
        if key.id != "scalar":
            raise TableError(f"not plain YAML: a field's name is not text{_place(key.start_mark)}")
        if key.value in fields:
            raise TableError(
                f"not YAML: an object has the field {shown(key.value)} more than once{_place(key.start_mark)}"
            )
        fields[key.value] = _value(value, seen)
    return fields


def _place(mark: Any) -> str:
    return f", line {mark.line + 1}, column {mark.column + 1}"
