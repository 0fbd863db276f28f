"""The usual names of the columns that hold a load, and the columns that have one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from etcdsize.base.text import nearest, shown
from etcdsize.batches.column_names import COUNTED_PER, ColumnName, read_name
from etcdsize.errors import ColumnError
from etcdsize.units import DIMENSIONS

__all__ = ["AMBIGUOUS", "USUAL_NAMES", "Names", "list_names"]

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "clients": (
        *("clients", "client_count", "num_clients", "number_of_clients", "connections", "connection_count"),
        *("num_connections", "client_connections"),
    ),
    "requests_per_second": (
        *("requests_per_second", "reqs_per_second", "req_per_s", "queries_per_second", "rps", "qps", "rpm", "qpm"),
        *("request_rate", "kqps", "krps"),
    ),
    "data_bytes": (
        *("data", "data_size", "data_in_use", "db_size", "db_size_in_use", "database_size", "db_total_size"),
        *("mvcc_db_total_size", "mvcc_db_total_size_in_use", "size_mb", "db_mb", "database_mb"),
    ),
    "provider": (
        *("provider", "cloud", "cloud_provider", "cloud_vendor", "cloud_service_provider", "cloud_name"),
        *("云厂商", "云服务商", "云供应商", "云提供商", "云平台"),
    ),
    "region": ("region", "cloud_region"),
    "current_machine": (
        *("current_machine", "current_machine_type", "instance_type", "current_instance_type", "vm_size", "vm_type"),
        *("current_vm_size", "flavor", "flavour", "flavor_name", "flavour_name", "shape", "instance_shape", "vm_shape"),
        *("实例规格", "实例类型", "实例机型", "云主机规格", "云服务器规格", "主机规格", "机型"),
    ),
    "kubernetes_nodes": ("kubernetes_nodes", "k8s_nodes", "nodes", "node_count"),
    "keys": ("keys", "key_count", "num_keys", "number_of_keys", "total_keys"),
    "key_bytes": ("key_bytes", "key_size", "avg_key_size", "average_key_size"),
    "value_bytes": ("value_bytes", "value_size", "avg_value_size", "average_value_size"),
    "largest_value_bytes": ("largest_value_bytes", "largest_value", "largest_value_size", "max_value_size"),
    "writes_per_second": ("writes_per_second", "write_rate"),
    "reads_per_second": ("reads_per_second", "read_rate"),
    "puts_per_transaction": ("puts_per_transaction",),
    "puts_per_commit": ("puts_per_commit",),
    "history_seconds": ("history_seconds",),
    "list_keys": ("list_keys",),
    "concurrent_lists": ("concurrent_lists",),
    "watchers": ("watchers", "watcher_count", "num_watchers", "watches"),
    "watch_streams": ("watch_streams", "streams", "stream_count", "num_streams"),
    "leases": ("leases", "lease_count", "num_leases"),
    "keys_per_lease": ("keys_per_lease",),
    "lease_ttl_seconds": ("lease_ttl_seconds", "lease_ttl"),
    "lease_revokes_per_second": ("lease_revokes_per_second", "lease_expirations_per_second"),
    "tls": ("tls", "client_tls", "tls_enabled"),
    "pods": ("pods", "pod_count", "num_pods"),
    "running_quota_bytes": ("quota_bytes", "quota_backend_bytes", "running_quota", "quota_mb"),
    "running_volume_gib": ("volume_gib", "volume_size_gib", "disk_gib", "disk_size_gib", "running_volume_gib"),
    "running_disk_mb_per_second": (
        *("disk_mb_per_second", "disk_throughput_mb_per_second", "volume_mb_per_second"),
        *("volume_throughput_mb_per_second", "running_disk_mb_per_second"),
    ),
    "vcpus": ("vcpus", "vcpu", "vcpu_count", "cpus", "cpu_count", "cpu_cores", "核数", "cpu核数", "vcpu核数"),
    "memory_gib": ("memory_gib", "mem_gib", "ram_gib", "内存_gib"),
    "name": ("cluster", "cluster_name", "name", "cluster_id", "id"),
    "timestamp": ("timestamp", "time", "ts", "datetime", "date"),
}
"""What a column holds -> the names by which it is found. A name with a unit is found with any other unit too."""

AMBIGUOUS: dict[str, dict[str, str]] = {
    "data_bytes": {
        "size": "the number of members",
        **dict.fromkeys(("storage", "storagesize", "disk", "disksize", "volume", "volumesize"), "the size of the disk"),
        **dict.fromkeys(("db", "database"), "a name"),
    },
    "requests_per_second": dict.fromkeys(
        ("requests", "request", "reqs", "req", "queries", "requestcount", "requeststotal", "totalrequests"),
        "a count since the start, or what Kubernetes reserves",
    ),
}
"""Names that say too little, without what is between their words -> what else a column of this name often holds."""

# Names that often mean something else: they count only if no other usual name of their key is there.
_WEAK = {
    "data_bytes": ("size", "db", "database"),
    "current_machine": (
        "instancetype",
        "currentinstancetype",
        "vmsize",
        "vmtype",
        "currentvmsize",
        "flavor",
        "flavour",
        "flavorname",
        "flavourname",
        "shape",
        "instanceshape",
        "vmshape",
        "实例规格",
        "实例类型",
        "实例机型",
        "云主机规格",
        "云服务器规格",
        "主机规格",
        "机型",
    ),
    "kubernetes_nodes": ("nodes", "nodecount"),
}
# What looks like the column of a machine. `node_type` may be a role, and `machine` a host's name, so that they have to
# be chosen.
_MACHINE_KIND = r"(?:type|size|flavou?r|sku|class|shape|model|family|plan)"
_MACHINE_LIKE = re.compile(
    rf"(?:.*_)?(?:instance|machine|vm|node|server|host|ec2|compute|hardware|master)_{_MACHINE_KIND}|machine|sku|flavou?r|plan|(?:服务器|节点|主机)?(?:规格|配置|型号|类型)"
)
_MACHINE_WORDS = re.compile(f"machine|规格|配置|型号|类型|机型|{_MACHINE_KIND}")
# Several of these in one file are usual; the first of the names above counts.
_FIRST_COUNTS = ("name", "timestamp")
# Scripts write `etcd_` before what they collect.
_PREFIXED = (*DIMENSIONS, "current_machine")


def _stems() -> dict[str, dict[str, bool]]:
    """Return the usual names without their units, and whether each needs one."""
    return {
        key: {read.compact: bool(read.byte_units or read.times) for read in map(read_name, names)}
        for key, names in USUAL_NAMES.items()
    }


_STEMS = _stems()
# A name without any of these is neither usual nor ambiguous. Most of the names of a wide file need not be read.
_FIRST_WORDS = re.compile(
    "|".join({read_name(name).words[0] for names in USUAL_NAMES.values() for name in names}.union(*AMBIGUOUS.values()))
)


class Names:
    """The names of all columns, each read once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._read: dict[int, ColumnName] = {}
        self._places: dict[str, list[int]] = {}
        for place, name in enumerate(names):
            if _FIRST_WORDS.search(name.lower()) is not None:
                self._places.setdefault(self.read(place).compact, []).append(place)

    def read(self, place: int) -> ColumnName:
        """Return the words and the unit of a name."""
        found = self._read.get(place)
        if found is None:
            found = self._read[place] = read_name(self.names[place])
        return found

    def places_of(self, stem: str, key: str) -> list[int]:
        """Return the columns whose name is `stem`, without its unit."""
        found = self._places.get(stem, [])
        return [*found, *self._places.get(f"etcd{stem}", [])] if key in _PREFIXED else found

    def usual(self, key: str) -> list[int]:
        """Return the columns that have a usual name for a key."""
        found: list[int] = []
        weak: list[int] = []
        for stem, needs_unit in _STEMS[key].items():
            for place in self.places_of(stem, key):
                read = self.read(place)
                if read.unknown != COUNTED_PER.get(key, read.unknown):
                    continue
                unit = read.unit(key)
                if not isinstance(unit, str) and (unit is not None or not needs_unit):
                    (weak if stem in _WEAK.get(key, ()) else found).append(place)
        found = found or weak
        return found[:1] if key in _FIRST_COUNTS else sorted(found)

    def like_machines(self) -> list[int]:
        """Return the columns whose names look like those of the machines in use."""
        return [
            place
            for place, name in enumerate(self.names)
            if _MACHINE_WORDS.search(name.lower())
            and (
                _MACHINE_LIKE.fullmatch("_".join(self.read(place).words))
                or self.read(place).compact in _STEMS["current_machine"]
            )
        ]

    def chosen(self, key: str, name: str) -> list[int]:
        """Return the columns of a name that the caller chose. Spaces around a header are none of its name."""
        places = [place for place, each in enumerate(self.names) if each == name]
        places = places or [place for place, each in enumerate(self.names) if each.strip() == name.strip()]
        if not places:
            raise ColumnError(f"{key}: has no column {shown(name)}{nearest(name, self.names)}{list_names(self.names)}")
        return places


def list_names(names: Sequence[str]) -> str:
    """Return the first names of all columns, for a message."""
    return f"; it has {', '.join(map(shown, names[:20]))}{', …' if len(names) > 20 else ''}"
