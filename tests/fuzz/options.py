"""Options of every command: sound ones, and any word in the place of any value; a stream that is not UTF-8."""

from __future__ import annotations

import argparse
import json
from functools import cache
from pathlib import Path
from random import Random

import yaml

from etcdsize.cli.parser import build_parser
from tests.fuzz.material import number, quantity, text, word
from tests.fuzz.outcome import Ran, command
from tests.support.paths import DATA, DOCS

SOUND = {
    "apiserver_metrics": ["apiserver.txt", "apiserver-later.txt", "fleet.csv"],
    "apiservers": ["3", "0", "1"],
    "arch": ["x86_64", "arm64", "any"],
    "base_port": ["2379", "1", "65535", "65534"],
    "before": ["apiserver.txt", "apiserver-later.txt"],
    "catalog": ["guide", "guide-as-printed", "current", "catalog.json"],
    "client_port": ["2379", "2380", "0", "65536"],
    "clients": ["0", "5", "100", "101", "1500", "0.5"],
    "column": ["clients=cluster", "rps=rps", "data=db_size", "provider=cloud", "current_machine=owner"],
    "columns": ["*", "cluster", "tier", "cluster,tier,problem", "*,tier", "tier,tier"],
    "concurrent_lists": ["0", "5"],
    "data": ["0", "400MB", "8GiB", "1e18", "1.7e308", "16384"],
    "data_dir": [".", "/var/lib/etcd", "a b"],
    "decimal": [".", ","],
    "delimiter": [",", ";", "|", "tab"],
    "disk": ["gp3", "gp2", "pd-ssd", "local"],
    "disk_mb_per_second": ["125", "0", "1e300"],
    "etcd_version": ["3.4", "3.5", "3.6", "3.7", "3.5.33", "3.5.99", "3.6.999999999999"],
    "family": ["m8i", "n1", "m5"],
    "files": ["types.json"],
    "fsync": ["2ms", "0", "10s"],
    "format": ["csv", "tsv", "jsonl", "json", "parquet", "flags", "env", "config", "systemd", "kubeadm"],
    "headroom": ["30%", "0.3", "0", "99.9999999%"],
    "host": ["a=10.0.0.1", "b=10.0.0.2", "10.0.0.3", "c=2001:db8::1", "d=etcd.example"],
    "history_seconds": ["10m", "1h..2h", "0"],
    "input": ["fleet.csv", "fleet.tsv", "fleet.jsonl", "running.csv", "-"],
    "key_bytes": ["60", "40..90"],
    "keys": ["0", "40000", "2e4..6e4", "1..2..3e9"],
    "kubernetes_nodes": ["50", "250", "1000", "1001"],
    "largest_value_bytes": ["1MB", "1.5MB..3MB"],
    "leases": ["0", "3000"],
    "limit": ["1", "5", "0", "100000"],
    "list_keys": ["0", "5000", "1..4e4"],
    "local": ["1", "3", "5", "9", "1000"],
    "margin": ["20%", "0"],
    "members": ["1", "3", "5", "7", "1000"],
    "missing": ["problem", "unknown"],
    "na": ["n/a", "-1", "0", ""],
    "origin": ["aws", "gcloud"],
    "output": [
        "out.csv",
        "out.tsv",
        "out.jsonl",
        "out.parquet",
        "out.json",
        "-",
        "folder",
        "no/such",
        "/dev/null",
        "fleet.csv",
    ],
    "output_format": ["csv", "tsv", "jsonl", "json", "parquet"],
    "peer_port": ["2380", "2379"],
    "peer_rtt_ms": ["0.1", "10", "5000", "1e9"],
    "pods": ["0", "30000", "1e4..1e5"],
    "prices": ["prices.csv"],
    "profile": ["load.toml", "objects.toml", "-", "folder", "no/such", "fleet.csv"],
    "provider": ["aws", "gce", "azure", "google", "nobody", "阿里云"],
    "quota": ["8GiB", "2GiB", "1", "0"],
    "reads_per_second": ["0", "500", "1k..5k"],
    "region": ["us-east-1", "europe-west1", "aws=eu-central-1", "West Europe", "Frankfurt", "aws=", "=", "cn-shanghai"],
    "requests_per_second": ["0", "800", "2.5k", "1M/s", "199.9"],
    "rollout": ["10m", "0", "1h"],
    "seconds": ["10m", "0"],
    "snapshot": ["snapshot.db", "a b.db"],
    "snapshot_catchup_entries": ["500", "5000", "0"],
    "snapshot_count": ["10000", "100000", "0"],
    "sort": ["price", "vcpus", "memory", "iops"],
    "targets": ["clusters.json", "-"],
    "thousands": [",", ".", "space", "'", "_"],
    "tier": ["small", "medium", "large", "xlarge"],
    "tiers": ["guide", "etcd.io", "tiers.json"],
    "timeout": ["1s", "100ms"],
    "tls_dir": [".", "/etc/kubernetes/pki/etcd"],
    "type": ["m8i.large", "n1-standard-4"],
    "unknown": ["clients", "rps", "data", "data_bytes"],
    "urls": ["127.0.0.1:1", "http://127.0.0.1:1", "https://127.0.0.1:1", "[::1]:1"],
    "value_bytes": ["1kB", "200..400..900", "0", "3MB"],
    "watch_streams": ["0", "100"],
    "watchers": ["0", "2000"],
    "writes_per_second": ["0", "50", "20..2k"],
    "zone": ["a=eu-1a", "b=eu-1b"],
}
APISERVER = """\
apiserver_resource_objects{{group="",resource="nodes"}} 40
apiserver_resource_objects{{group="",resource="pods"}} {}
apiserver_resource_size_estimate_bytes{{group="",resource="pods"}} 9.6e+06
apiserver_storage_size_bytes{{storage_cluster_id="etcd-0"}} 2.4e+07
etcd_requests_total{{group="",operation="update",resource="pods"}} {}
process_start_time_seconds 1.79558068502e+09
"""
# What would wait, or reach another machine.
NOT_ANY_WORD = {"interval": ["0", "1ms", "1h1", "-1", "nan", "1e18", "9" * 330]}
NUMERIC = {
    *("clients", "data", "headroom", "keys", "limit", "local", "margin", "members", "quota", "requests_per_second"),
    *("timeout", "value_bytes", "writes_per_second"),
}


@cache
def commands() -> dict[tuple[str, ...], argparse.ArgumentParser]:
    """Return the parser of every command, by its words."""
    found: dict[tuple[str, ...], argparse.ArgumentParser] = {}

    def add(words: tuple[str, ...], parser: argparse.ArgumentParser) -> None:
        deeper = next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)
        if deeper is None:
            found[words] = parser
        for name, child in (deeper.choices if deeper is not None else {}).items():
            add((*words, name), child)

    add((), build_parser())
    return found


@cache
def files() -> dict[str, bytes]:
    """Return the files that every command finds in its folder."""
    fleet = (DOCS / "examples" / "fleet.csv").read_bytes()
    here = Path(__file__).parents[2] / "etcdsize" / "data"
    tiers = json.loads((here / "tiers-guide.json").read_text(encoding="utf-8")) | {"name": "ours"}
    catalog = json.loads((here / "machines-guide.json").read_text(encoding="utf-8")) | {"name": "ours"}
    return {
        "fleet.csv": fleet,
        "fleet.tsv": b"cluster\tclients\trps\tdata\tprovider\na\t5\t5\t5MB\taws\nb\t\tx\t9\tgce\n",
        "fleet.jsonl": b'{"clients": 5, "rps": "5k", "data": null, "provider": "aws"}\n',
        "running.csv": (DOCS / "examples" / "running.csv").read_bytes(),
        "clusters.json": b'[{"targets": ["127.0.0.1:1"], "labels": {"cluster": "a", "provider": "aws"}}]',
        "types.json": (DOCS / "examples" / "instance-types.json").read_bytes(),
        "machine-types.json": (DATA / "gcloud-machine-types.json").read_bytes(),
        "apiserver.txt": APISERVER.format(1000, 10).encode(),
        "apiserver-later.txt": APISERVER.format(1200, 700).encode(),
        "load.toml": b'[load]\nkeys = 40000\nvalue_bytes = "200..900"\nwrites_per_second = [20, 50]\ntls = true\n',
        "objects.toml": b'[load]\nclients = 5\n[[load.objects]]\nname = "pods"\ncount = 300\nvalue_bytes = "10kB"\n',
        "prices.csv": b"machine_type,price_per_hour,currency,region,date\nm8i.large,0.1,USD,us-east-1,2026-11-01\n",
        "tiers.json": json.dumps(tiers).encode(),
        "catalog.json": json.dumps(catalog).encode(),
        "ca.crt": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }


def write_files(folder: Path) -> None:
    for name, content in files().items():
        (folder / name).write_bytes(content)


def value(random: Random, name: str, sound: float) -> str:
    """Return a value of an option, with a likelihood that it is a sound one."""
    if name in NOT_ANY_WORD:
        return random.choice(NOT_ANY_WORD[name])
    if name in SOUND and random.random() < sound:
        return random.choice(SOUND[name])
    if name in ("output", "targets", "urls"):
        # Nothing is written outside of the folder, and nothing waits for the test's own standard input.
        return random.choice((text, number))(random).replace("/", "_")
    found = random.choice((number, quantity) if name in NUMERIC and random.random() < 0.7 else (word, text))(random)
    return f"{random.choice('abc')}={found}" if name in ("host", "zone", "column") and random.random() < 0.6 else found


def words_of(random: Random) -> list[str]:
    """Return a command line."""
    name = random.choice(list(commands()))
    parser = commands()[name]
    sound = random.choice((0.7, 0.95, 1.0))
    # Options that exclude each other.
    left_out = random.choice(({"host", "client_port", "peer_port", "zone"}, {"local", "base_port"}))
    if name == ("fit",):
        left_out = random.choice(({"tier"}, {"clients", "requests_per_second", "data", "headroom"}))
    found = [*name]
    likely = random.choice((0.05, 0.15, 0.4))
    for action in parser._actions:
        if (action.dest == "help" and random.random() < 0.98) or (action.dest in left_out and sound > 0.7):
            continue
        needed = not action.option_strings or action.required or action.dest in ("host", "clients", "tier")
        for _ in range(random.choice((1, 1, 2, 3)) if isinstance(action, argparse._AppendAction) else 1):
            if random.random() > (0.9 if needed else likely):
                continue
            option = [random.choice(action.option_strings)] if action.option_strings else []
            given = [] if action.nargs == 0 else [value(random, action.dest, sound)]
            found += [f"{option[0]}={given[0]}"] if option and given and option[0][:2] == "--" else [*option, *given]
    if random.random() < 0.05:
        found.insert(random.randrange(len(found) + 1), word(random).replace("/", "_"))
    if random.random() < 0.05:
        random.shuffle(found)
    # Without it, the command waits between two scrapes.
    return [*found, "--interval=0"] if "observe" in found and "--" not in found else found


def options(random: Random, folder: Path) -> str:
    """Run a command with random options."""
    write_files(folder)
    words = words_of(random)
    if "observe" in words and not any(one.startswith("--interval") for one in words):
        return "not run"
    stdin = random.choice((b"", b'{"clients": "5"}', files()["fleet.csv"], files()["clusters.json"]))
    encoding = random.choice(("utf-8", "utf-8", "latin-1", "ascii"))
    # Rows pass the user's own cells, and a catalog is the user's own file.
    data = bool({"fleet", "observe", "import"} & set(words))
    ran = command(words, stdin=stdin, encoding=encoding, data=data)
    parse(words, ran)
    known = {name[0] for name in commands() if name}
    return f"{words[0] if words and words[0] in known else 'etcdsize'}: {ran.outcome}"


def parse(words: list[str], ran: Ran) -> None:
    """Parse what the command printed, in the format that was asked for."""
    if ran.code != 0 or not ran.out or {"-h", "--help"} & set(words):
        return
    if words[0] == "terraform-external":
        answer = json.loads(ran.out)
        assert all(isinstance(one, str) for one in answer.values())
    elif words[0] == "bootstrap" and "--format=config" in words and "--local=1" in words:
        assert yaml.safe_load(ran.out)["name"]
