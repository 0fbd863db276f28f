"""The schemas of the answers that commands print as JSON, as files and as a table."""

from __future__ import annotations

import json

from etcdsize import errors
from etcdsize.cli.answers import ANSWERS, schema_of
from etcdsize.cli.error_report import CODES
from pages.markdown import table


def schemas() -> dict[str, str]:
    """Return the text of every schema, by its name."""
    return {name: json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n" for name in ANSWERS}


def schemas_table() -> str:
    """Return a table of the schemas."""
    rows = [
        [
            f"[`{name}`](schemas/{name}.json)",
            f"`etcdsize {answer.command}`" if answer.command else "every command",
            answer.meaning,
        ]
        for name, answer in ANSWERS.items()
    ]
    return table(["schema", "command", "what it describes"], rows)


def error_codes() -> str:
    """Return a table of the codes of errors."""
    rows = []
    for code, kind in CODES.items():
        name = f"[`{kind.__name__}`](api.md#errors)" if kind.__name__ in errors.__all__ else "none"
        rows.append([f"`{code}`", (kind.__doc__ or "").split("\n")[0], name])
    return table(["code", "meaning", "in Python"], rows)
