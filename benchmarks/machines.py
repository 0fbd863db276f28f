"""How long do today's machines take: reading a catalog, fitting one tier, auditing a fleet?

- load: `load_catalog("current")` from its file, 612 machines.
- import: `read_listing` of all that a moto server on this machine answers, about 1,400 types of EC2.
- fit: `fit("medium")` over the whole catalog, every rejected machine with its reason.
- size-current: `size(..., catalog="current")` of one workload, warm: a look-up, as the fit is made once.
- audit: `audit` of arrays whose machines are names: verdicts, machines to run on, money, what decides and breaks next.
- audit-verdicts: the verdicts alone, of machines that were looked up before.
- loop: the same verdicts as a loop over the rows would find them: a dictionary and comparisons, on a thousandth of the
  rows.
- service-capacity-modeling: Netflix's package plans one ZooKeeper ensemble, the nearest that it has to etcd: the
  cheapest of AWS's machines and disks under a model of latency. It does more than `fit` (intervals, several volumes,
  network), and less (one provider, no reasons unless asked, no etcd). It audits no fleet.

Figures are the best of some repeats, in microseconds a call, for audits and the loop in nanoseconds a row; each
contender in a process of its own.
"""

from __future__ import annotations

import importlib.util
import json
from typing import Any

from benchmarks import harness

CALLS = ("load", "import", "fit", "size-current", "service-capacity-modeling")
ROWS = ("audit", "audit-verdicts", "loop")


def every_type(**asked: Any) -> str:
    """Return what EC2's DescribeInstanceTypes answers, as a moto server on this machine has it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client(
            "ec2",
            region_name="us-east-1",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        pages = client.get_paginator("describe_instance_types").paginate(**asked)
        return json.dumps({"InstanceTypes": [fields for page in pages for fields in page["InstanceTypes"]]})
    finally:
        server.stop()


def prepare(name: str, rows: int, once: bool) -> Any:
    """Return the call to time, made ready; `once`, with a few of EC2's types."""
    import etcdsize

    if name == "load":
        from etcdsize.catalog import loading, provider_file

        def load() -> Any:
            loading._current.cache_clear()
            provider_file._read.cache_clear()
            return etcdsize.load_catalog("current")

        return load
    if name == "import":
        text = every_type(InstanceTypes=["m5.large", "m5.xlarge"]) if once else every_type()
        return lambda: etcdsize.read_listing("aws", text)
    if name == "fit":
        return lambda: etcdsize.fit("medium")
    if name == "size-current":
        return lambda: etcdsize.size(clients=300, requests_per_second=800, data_bytes=4e8, catalog="current")
    if name == "service-capacity-modeling":
        from benchmarks.one import prepare as prepare_one

        return prepare_one(name)
    return audit_call(name, rows)


def audit_call(name: str, rows: int) -> Any:
    """Return the audit of a seeded fleet on machines of the whole catalog."""
    import numpy as np

    import etcdsize
    from benchmarks.classify import columns
    from etcdsize.fleet.audit import audit_codes
    from etcdsize.fleet.auditor import Auditor
    from etcdsize.fleet.verdicts import BEYOND, OVER, RIGHT, UNDER, UNKNOWN

    loads = columns(rows)
    catalog, tiers = etcdsize.load_catalog("current"), etcdsize.load_tiers("guide")
    # A type whose provider is not named is one of these.
    named = [machine for machine in catalog.machines if machine.provider in catalog.default_providers]
    catalog = catalog.model_copy(update={"machines": tuple(named)})
    auditor = Auditor(catalog, tiers, provider=None, headroom=0.0, margin=0.2, members=3)
    types = np.array([machine.machine_type for machine in auditor.catalog.machines], object)
    codes = np.random.default_rng(20261125).integers(0, len(types), rows).astype(np.uint16)

    def audited(codes: Any, loads: Any) -> Any:
        return audit_codes(auditor, codes, loads, etcdsize.classify(*loads))

    if name == "audit-verdicts":
        return lambda: audited(codes, loads).verdict_codes
    if name == "audit":
        names = types[codes]

        def everything() -> Any:
            fleet = etcdsize.audit(names, *loads, catalog=catalog)
            return (fleet.verdict_codes, fleet.recommended_codes, fleet.cost_difference_per_month, fleet.decided_by,
                    fleet.breaks_next)  # fmt: skip

        return everything
    few = rows // 1000
    table = [list(bounds) for bounds in ((100, 500, 1500), (200, 1000, 10_000), (100e6, 500e6, 1e9))]
    listed = [column[:few].tolist() for column in loads]
    names = types[codes[:few]].tolist()
    most_of = {kind: capacity.most for kind, capacity in zip(types.tolist(), auditor.capacities, strict=True)}
    tier_of = {kind: capacity.tier for kind, capacity in zip(types.tolist(), auditor.capacities, strict=True)}

    def needed(c: float, r: float, d: float, share: float) -> int:
        for tier in range(3):
            if c <= table[0][tier] * share and r < table[1][tier] * share and d <= table[2][tier] * share:
                return tier
        return 3

    def loop() -> list[int]:
        found = []
        for kind, c, r, d in zip(names, *listed, strict=True):
            has = tier_of.get(kind)
            needs = needed(c, r, d, 1.0)
            if has is None:
                found.append(UNDER if needs > most_of[kind] else UNKNOWN)
            elif needs > has:
                found.append(UNDER)
            elif needs == 3:
                found.append(BEYOND)
            else:
                found.append(OVER if has > needed(c, r, d, 0.8) else RIGHT)
        return found

    verdicts = audited(codes[:few], [load[:few] for load in loads]).verdict_codes.tolist()
    assert loop() == verdicts, "the loop and the audit differ"
    return loop


def contend(name: str, rows: int, once: bool) -> dict[str, float]:
    """Time one contender in this process."""
    seconds = harness.best(prepare(name, rows, once), repeats=3, once=once)
    if name in ROWS:
        return {"ns_per_row": seconds / (rows // 1000 if name == "loop" else rows) * 1e9}
    return {"microseconds": seconds * 1e6}


def show(figures: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [", ".join(f"{name} {version}" for name, version in figures["machine"].items())]
    for unit, group in (("us/call", "calls"), ("ns/row", "rows_of")):
        lines.append(f"{'':28}{unit:>12}   least to most of {figures['rounds']} rounds")
        for name, found in figures[group].items():
            lines.append(f"{name:28}{found['median']:12.1f}   {found['least']:.1f} to {found['most']:.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = harness.arguments(__doc__ or "", rows=10_000_000, once=True)
    parser.add_argument("--only", action="append", choices=(*CALLS, *ROWS), help="run this alone; may be repeated")
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(contend(options.contender, options.rows, options.once)))
        return
    needs = {"service-capacity-modeling": "service_capacity_modeling", "import": "moto"}
    contenders = [
        name for name in options.only or (*CALLS, *ROWS) if importlib.util.find_spec(needs.get(name, "numpy"))
    ]
    extra = ["--rows", str(options.rows), *["--once"] * options.once]
    found = harness.measure("benchmarks.machines", contenders, options.rounds, extra)
    figures = {
        "rows": options.rows,
        "rounds": options.rounds,
        "machine": harness.machine(("etcdsize", "numpy", "pydantic", "moto", "service-capacity-modeling")),
        "calls": {
            name: harness.spread([run["microseconds"] for run in runs]) for name, runs in found.items() if name in CALLS
        },
        "rows_of": {
            name: harness.spread([run["ns_per_row"] for run in runs]) for name, runs in found.items() if name in ROWS
        },
    }
    harness.report(figures, options.json, show)


if __name__ == "__main__":
    main()
