"""The schemas of the answers that commands print as JSON, as files and as a table."""

from __future__ import annotations

import json

from etcdsize.cli.answers import ANSWERS, schema_of
from pages.markdown import table


def schemas() -> dict[str, str]:
    """Return the text of every schema, by its name."""
    return {name: json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n" for name in ANSWERS}


def schemas_table() -> str:
    """Return a table of the schemas."""
    rows = [
        [f"[`{name}`](schemas/{name}.json)", f"`etcdsize {answer.command}`", answer.meaning]
        for name, answer in ANSWERS.items()
    ]
    return table(["schema", "command", "what it describes"], rows)
