"""Turn a list of wanted etcd clusters into Terraform variables.

    python provision.py wanted.json > etcd.auto.tfvars.json

A cluster that cannot be sized, or whose sizing is beyond the guide, is reported on standard error, and the script
exits 1. The others are printed. The clusters in wanted.json are made up.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from etcdsize import EtcdSizeError, Machine, size

HEADROOM = 0.3  # Room to grow: our team's choice.


def disk(machine: Machine) -> dict[str, Any]:
    """Return a volume with the disk figures that the guide gives for the machine."""
    if machine.disk is not None:
        # GCE: the guide names the disk, whose size determines its performance.
        return {"type": machine.disk.kind, "size_gb": machine.disk.size_gb}
    # AWS: the guide's figures are those of the instance, and the volume must be provisioned to match. 80 GB is the
    # minimum in etcd's FAQ, and 125 MiB/s the minimum of gp3.
    throughput = math.ceil((machine.disk_mb_per_second or 0) * 1e6 / 2**20)
    return {"type": "gp3", "size_gb": 80, "iops": machine.concurrent_iops, "throughput_mib": max(125, throughput)}


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
    return {
        "tier": sizing.tier,
        "members": sizing.members,
        "machine_type": sizing.machine.machine_type,
        "disk": disk(sizing.machine),
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
