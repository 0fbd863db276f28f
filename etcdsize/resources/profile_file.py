"""Read a profile from the TOML of a file: the table `[load]` has the fields of `Profile`, without `assumptions`."""

from typing import Any

from etcdsize.base.checks import text_of
from etcdsize.base.text import nearest, shown
from etcdsize.base.toml_text import table_of
from etcdsize.errors import InvalidWorkloadError, TableError
from etcdsize.resources.profile import Profile

__all__ = ["read_profile"]


def read_profile(text: str | bytes, *, file: str = "profile") -> Profile:
    r"""Return the profile in a TOML text.

    Parameters
    ----------
    text : str or bytes
        TOML with one table `[load]`, which may have every field of `Profile` except `assumptions`, and a table
        `[[load.objects]]` for each `ObjectKind`.
    file : str
        The name of the file, for messages.

    Raises
    ------
    TableError
        For text that is not TOML, other tables, unknown fields, values that are not accepted, and fields that
        contradict each other. The error names the file and the field.

    Examples
    --------
    >>> read_profile('[load]\nkeys = 5000\nvalue_bytes = "1kB..3kB"').loads
    (None, None, 15000000.0)
    """
    table = _load_table(text, text_of("file", file))
    if "assumptions" in table:
        raise TableError(
            f"{file}: load: assumptions: got {shown(table['assumptions'])}, expected no such field in a file: what is "
            "left out is assumed; leave it out",
            file=file,
            field="assumptions",
        )
    try:
        return Profile(**table)
    except InvalidWorkloadError as error:
        reason = error.message.removeprefix("Profile: ")
        raise TableError(f"{file}: load: {reason}", file=file, field=error.dimension) from None


def _load_table(text: object, file: str) -> dict[str, Any]:
    if not isinstance(text, (str, bytes, bytearray)):
        raise TableError(f"{file}: got {shown(text)} of type {type(text).__name__}, expected the text of a TOML file")
    try:
        tables = table_of(text)
    except TableError as error:
        raise TableError(f"{file}: {error}", file=file) from None
    for name, table in tables.items():
        if name != "load" or not isinstance(table, dict):
            hint = nearest(name, ["load"]) if name != "load" else "; write [load] above its fields"
            what = f"the table {shown(name)}" if isinstance(table, dict) else f"{shown(name)} outside a table"
            raise TableError(f"{file}: got {what}, expected the table [load] alone{hint}", file=file, field=name)
    if not tables:
        raise TableError(f"{file}: got no table, expected the table [load]; write [load] above the fields", file=file)
    load: dict[str, Any] = tables["load"]
    return load
