"""Count etcd's keys and measure their sizes, by prefix, as a file for `etcdsize resources --profile`.

    python measure_keys.py [DEPTH] > load.toml

It runs etcdctl: set ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and the like as for etcdctl. DEPTH is how many parts of a key
make its kind: with 2 (the default), /registry/pods/default/web belongs to registry/pods. It reads every key and value
once, in pages of 500 keys; if the cluster is busy, run it on a restored snapshot. It does not import etcdsize.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

PAGE = 500


def pages() -> Iterator[list[dict[str, str]]]:
    """Yield all keys with their values in pages, each at the revision of the first."""
    start, revision = b"", 0
    while True:
        options = ("--from-key", f"--limit={PAGE + 1}", f"--rev={revision}", "--write-out=json")
        command = [b"etcdctl", b"get", *(option.encode() for option in options), b"--", start]
        answer: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        found = answer.get("kvs", [])
        yield found[:PAGE]
        if len(found) <= PAGE:
            return
        # The key after this page is the first of the next.
        start = base64.b64decode(found[PAGE]["key"])
        revision = revision or answer["header"]["revision"]


def kind_of(key: bytes, depth: int) -> str:
    """Return the first parts of a key, without the last one."""
    text = "".join(character if character.isprintable() else "?" for character in key.decode(errors="replace"))
    parts = [part for part in text.split("/") if part]
    return "/".join(parts[:-1][:depth]) or "other"


def main(depth: int) -> None:
    """Print the profile of the keys."""
    kinds: dict[str, list[tuple[int, int]]] = {}
    for page in pages():
        for found in page:
            key, value = base64.b64decode(found["key"]), base64.b64decode(found.get("value", ""))
            kinds.setdefault(kind_of(key, depth), []).append((len(key), len(value)))
    print("[load]")
    print(f"largest_value_bytes = {max((value for sizes in kinds.values() for _, value in sizes), default=0)}")
    for name, sizes in sorted(kinds.items()):
        print("\n[[load.objects]]")
        print(f"name = {json.dumps(name, ensure_ascii=False)}")
        print(f"count = {len(sizes)}")
        print(f"key_bytes = {sum(key for key, _ in sizes) / len(sizes):.1f}")
        print(f"value_bytes = {sum(value for _, value in sizes) / len(sizes):.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
