"""The public names with their docstrings."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import etcdsize
from pages.markdown import table

# A constant has no docstring.
CONSTANTS = {
    "INVALID": "255, the tier code of a load that cannot be sized. [uint8]",
    "__version__": "The version of the package.",
}


def functions() -> str:
    """Return a table of the public functions with their parameters."""
    rows = []
    for name, thing in public().items():
        if inspect.isfunction(thing):
            rows.append([f"`{name}({parameters(thing)})`", first_line(thing), home(thing)])
    return table(["function", "what it returns", "in"], rows)


def models() -> str:
    """Return the public models, each with tables of its fields and of its properties and methods."""
    parts = []
    for name, thing in public().items():
        if inspect.isclass(thing) and issubclass(thing, BaseModel):
            fields = [[f"`{field}`", info.description or ""] for field, info in thing.model_fields.items()]
            members = [[f"`{member}`", first_line(value)] for member, value in own_members(thing)]
            parts.append(f"### {name}\n\n{first_line(thing)} In {home(thing)}.")
            parts.append(table(["field", "meaning"], fields))
            if members:
                parts.append(table(["property or method", "meaning"], members))
    return "\n\n".join(parts)


def structures() -> str:
    """Return the public classes that are neither models nor errors, each with a table of its members."""
    parts = []
    for name, thing in public().items():
        if inspect.isclass(thing) and not issubclass(thing, (BaseModel, Exception)):
            members = [[f"`{member}`", meaning] for member, meaning in own_attributes(thing)]
            members += [[f"`{member}`", first_line(value)] for member, value in own_members(thing)]
            parts.append(
                f"### {name}\n\n{first_line(thing)} In {home(thing)}.\n\n" + table(["member", "meaning"], members)
            )
    return "\n\n".join(parts)


def errors() -> str:
    """Return a table of the public errors."""
    rows = [
        [f"`{name}`", ", ".join(f"`{base.__name__}`" for base in thing.__bases__), first_line(thing)]
        for name, thing in public().items()
        if inspect.isclass(thing) and issubclass(thing, Exception)
    ]
    return table(["error", "base classes", "meaning"], rows)


def constants() -> str:
    """Return a table of the public constants."""
    return table(["name", "meaning"], [[f"`{name}`", CONSTANTS[name]] for name in public() if name in CONSTANTS])


def public() -> dict[str, Any]:
    """Return every public object by its name."""
    return {name: getattr(etcdsize, name) for name in etcdsize.__all__}


def home(thing: Any) -> str:
    """Return the file or folder that defines an object."""
    name = thing.__module__.removeprefix("etcdsize.").replace(".", "/")
    is_folder = (Path(etcdsize.__file__).parent / name).is_dir()
    return f"`{name}/`" if is_folder else f"`{name}.py`"


def parameters(function: Callable[..., Any]) -> str:
    """Return a function's parameters with their defaults, without annotations."""
    names: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in names:
            names.append("*")
        default = parameter.default
        names.append(
            parameter.name if default is parameter.empty else f"{parameter.name}={default!r}".replace("'", '"')
        )
    return ", ".join(names)


def own_members(thing: type) -> Iterator[tuple[str, Any]]:
    """Yield the documented properties and methods of a class, and of bases of ours that are not public."""
    bases = [base for base in reversed(thing.__mro__) if base.__module__.startswith("etcdsize.")]
    hidden = {base.__name__: base for base in bases if base is thing or base.__name__ not in etcdsize.__all__}
    for member, value in itertools.chain.from_iterable(vars(base).items() for base in hidden.values()):
        if member.startswith("_") or not inspect.getdoc(value):
            continue
        if inspect.isfunction(value):
            yield f"{member}({parameters(value).removeprefix('self').removeprefix(', ')})", value
        elif isinstance(value, property):
            yield member, value
        elif isinstance(value, cached_property):
            yield member, value.func


def own_attributes(thing: type) -> Iterator[tuple[str, str]]:
    """Yield the attributes that a class's `__init__` sets, with the docstring that follows each."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing.__init__)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    for statement, after in itertools.pairwise(body):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
        if isinstance(target, ast.Attribute) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield target.attr, str(after.value.value)


def first_line(thing: object) -> str:
    """Return the first sentence of a docstring, on one line."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")
