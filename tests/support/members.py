"""The metrics of members, as etcd serves them: captured ones that are changed a little, and made ones of any shape."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from paths import OBSERVED

SERVED = "etcdserverpb.KV"


def captured(number: int, when: str = "before") -> str:
    """Return what a member of a cluster of three served."""
    return (OBSERVED / f"infra{number}-{when}.txt").read_text()


def alone(text: str) -> str:
    """Return the metrics of a member as if it had no peers: those of a whole cluster of one."""
    return "".join(line for line in text.splitlines(keepends=True) if "etcd_network_" not in line)


def aged(text: str, seconds: float) -> str:
    """Return the metrics of a member as if its process had started this many seconds ago."""
    return re.sub(r"(?m)^process_start_time_seconds .*$", f"process_start_time_seconds {time.time() - seconds}", text)


def member(
    member_id: str,
    peers: Sequence[str] = (),
    *,
    ranges: int = 1000,
    data_bytes: int | None = 40_000_000,
    file_bytes: int = 50_000_000,
    leader: bool = False,
    has_leader: bool = True,
    started: float = 1.7e9,
    version: str = "3.6.16",
    more: str = "",
) -> str:
    """Return metrics of a member with these figures, and with more lines if there are any."""
    lines = [
        f'etcd_server_id{{server_id="{member_id}"}} 1',
        f'etcd_server_version{{server_version="{version}"}} 1',
        f"etcd_server_has_leader {int(has_leader)}",
        f"etcd_server_is_leader {int(leader)}",
        "etcd_server_quota_backend_bytes 2.147483648e+09",
        f"etcd_mvcc_db_total_size_in_bytes {file_bytes}",
        *([] if data_bytes is None else [f"etcd_mvcc_db_total_size_in_use_in_bytes {data_bytes}"]),
        *(f'etcd_network_active_peers{{Local="{member_id}",Remote="{peer}"}} 1' for peer in peers),
        f'grpc_server_started_total{{grpc_method="Range",grpc_service="{SERVED}",grpc_type="unary"}} {ranges}',
    ]
    return "\n".join(lines) + f"\n{more}process_start_time_seconds {started}\n"
