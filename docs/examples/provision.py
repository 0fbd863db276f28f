"""Turn a list of wanted etcd clusters into Terraform variables, with machines of today.

    python provision.py wanted.json > etcd.auto.tfvars.json

A cluster that cannot be sized, or whose sizing is beyond the guide, is reported on standard error, and the script
exits 1. The others are printed. The clusters in wanted.json are made up.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from etcdsize import Disk, EtcdSizeError, size

HEADROOM = 0.3  # Room to grow: our team's choice.


def disk(volume: Disk) -> dict[str, Any]:
    """Return a volume, with what has to be provisioned of it."""
    parts = {
        "type": volume.volume_type,
        "size_gib": volume.volume_size_gib,
        "iops": volume.volume_iops,
        "throughput_mib_s": volume.volume_throughput_mib_s,
        "throughput_mb_s": volume.volume_throughput_mb_s,
    }
    return {name: part for name, part in parts.items() if part is not None}


def variables(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of one cluster."""
    sizing = size(
        clients=wanted["clients"],
        requests_per_second=wanted["requests_per_second"],
        data_bytes=wanted["data"],
        provider=wanted["provider"],
        members=wanted.get("members", 3),
        headroom=HEADROOM,
    )
    for notice in sizing.notices:
        if notice.severity == "beyond-guide":
            raise EtcdSizeError(f"beyond the guide: {notice.text}")
    # The guide's own machines are of previous generations.
    machine = sizing.machine_today
    if machine is None or machine.disk is None:
        raise EtcdSizeError(f"no machine of today is known for {sizing.machine.machine_type}")
    return {
        "tier": sizing.tier,
        "members": sizing.members,
        "machine_type": machine.machine_type,
        "disk": disk(machine.disk),
    }


def main(path: str) -> int:
    clusters, failures = {}, 0
    for wanted in json.loads(Path(path).read_text(encoding="utf-8")):
        try:
            clusters[wanted["name"]] = variables(wanted)
        except EtcdSizeError as error:
            failures += 1
            print(f"{wanted['name']}: {error}", file=sys.stderr)
    print(json.dumps({"etcd_clusters": clusters}, indent=2))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
