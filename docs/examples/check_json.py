"""Read the JSON of `etcdsize size --json`, as a program in any language could.

    python check_json.py [COMMAND ...]

The script does not import etcdsize. It runs the command (COMMAND, the environment variable ETCDSIZE, or the etcdsize in
this Python's environment), validates the output against docs/schemas/size.json and prints a few fields. It needs the
package jsonschema.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema

SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "size.json"
QUESTION = ["size", "--clients", "300", "--requests-per-second", "800", "--data", "400MB", "--json"]


def command() -> list[str]:
    """Return the command that runs etcdsize."""
    if len(sys.argv) > 1:
        return sys.argv[1:]
    if "ETCDSIZE" in os.environ:
        return shlex.split(os.environ["ETCDSIZE"])
    return [str(Path(sys.executable).with_name("etcdsize"))]


def main() -> int:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    done = subprocess.run([*command(), *QUESTION], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        # With --json, an error is an object too.
        error = json.loads(done.stderr)
        print(f"etcdsize exited {done.returncode}: {error['message']} [{error['code']}]", file=sys.stderr)
        return 1
    answer = json.loads(done.stdout)
    try:
        jsonschema.validate(answer, schema, cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError as error:
        print(f"the answer does not match the schema at {error.json_path}: {error.message}", file=sys.stderr)
        return 1

    print(f"the answer matches {SCHEMA.name}")
    print(f"tier {answer['tier']}, forced by {', '.join(answer['forced_by'])}")
    for provider, machine in answer["machines"].items():
        print(f"{provider}: {machine['machine_type']}, {machine['vcpus']} vCPUs, {machine['memory_gib']} GiB")
    print(f"{answer['members']} members, of which {answer['failure_tolerance']} may fail")
    print("notices: " + ", ".join(f"{notice['code']} ({notice['severity']})" for notice in answer["notices"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
