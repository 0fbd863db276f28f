"""Check what a command printed with --json: an answer, or an error, matches its schema."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence

import jsonschema

from etcdsize.cli.answers import ANSWERS, schema_of
from etcdsize.cli.argument_parser import asks_for_json


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return the validator of an answer by the name of its schema."""
    return jsonschema.Draft202012Validator(schema_of(name))


def check_json(words: Sequence[str], code: object, out: str, err: str) -> None:
    """Check what a command printed, if it was asked for JSON and its answer is one document."""
    if not asks_for_json(words) or {"-h", "--help", "--version"} & set(words):
        return
    lines = err.splitlines()
    # The exit code of terraform-external is 1.
    if code == 2 or (lines and lines[-1].startswith('{"format_version": 1, "code": ')):
        validator("error").validate(json.loads(lines[-1]))
        return
    names = [name for name, answer in ANSWERS.items() if answer.command == " ".join(words[:2])]
    name = [*names, *(word for word in words if word in ANSWERS)][0]
    # Rows on standard output leave standard error to the summary.
    answer = json.loads(err if "-" in words and not out.startswith("{\n") else out)
    validator("observe-targets" if "fleet" in answer else name).validate(answer)
