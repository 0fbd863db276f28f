"""Write what the documentation takes from the code: tables, the command's help, the public names, the JSON schema.

    python docs/generate.py            writes
    python docs/generate.py --check    writes nothing, names what is out of date and exits 1

A page is prose around regions that begin with `<!-- begin generated: NAME -->` and end with `<!-- end generated -->`;
only the regions are written. sizing.schema.json is written whole.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import itertools
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import etcdsize
from etcdsize.catalog.catalog import BUILT_IN as CATALOGS
from etcdsize.fitting.fsync import fsync_need_for, sequential_iops_for
from etcdsize.tiers import BUILT_IN as TIERS
from etcdsize.units import format_number

DOCS = Path(__file__).resolve().parent
REGION = re.compile(r"(<!-- begin generated: ([^\n]+?) -->\n)(.*?)(<!-- end generated -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    head = list(head)
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def tier_table(name: str) -> str:
    """Return every bound of a tier table."""
    tiers = etcdsize.load_tiers(name)

    def bound(bound: etcdsize.Bound | None) -> str:
        if bound is None:
            return "open"
        return f"{'at most' if bound.inclusive else 'below'} {bound.limit:,}"

    head = ["tier", "clients", "requests_per_second", "data_bytes", "kubernetes_nodes", "source"]
    rows = [
        [
            tier.name,
            bound(tier.clients),
            bound(tier.requests_per_second),
            bound(tier.data_bytes),
            f"{tier.kubernetes_nodes:,}",
            tier.source,
        ]
        for tier in tiers.tiers
    ]
    return f"{tiers.title}. Source: {tiers.source}. Read on {tiers.date}.\n\n" + table(head, rows)


def figure(value: float | None) -> str:
    """Return a figure in full, or that it is unknown."""
    return "unknown" if value is None else format_number(value)


def spread(values: Iterable[float | None], digits: int | None = None) -> str:
    """Return the lowest and the highest of figures, and whether some are unknown."""
    values = list(values)
    known = [value if digits is None else round(value, digits) for value in values if value is not None]
    if not known:
        return "unknown"
    text = figure(min(known)) if min(known) == max(known) else f"{figure(min(known))}–{figure(max(known))}"
    return text if len(known) == len(values) else f"{text}, some unknown"


def family_table(name: str) -> str:
    """Return the families of a catalog, its sources, and its unknown figures."""
    catalog = etcdsize.load_catalog(name)
    families: dict[tuple[str, str], list[etcdsize.Machine]] = {}
    for machine in catalog.machines:
        families.setdefault((machine.provider, machine.family or "none"), []).append(machine)
    head = ["provider", "family", "machines", "arch", "lifecycle", "vcpus", "GiB per vCPU", "concurrent_iops"]
    head += ["disk_mb_per_second", "local_nvme_gb", "usd_hour"]
    rows = []
    for (provider, family), machines in families.items():
        caps = [machine.limits_for("pd-ssd" if machine.disk_limits else "") for machine in machines]
        rows.append(
            [
                provider,
                family,
                len(machines),
                machines[0].arch,
                machines[0].lifecycle,
                spread(machine.vcpus for machine in machines),
                spread((machine.memory_gib / machine.vcpus for machine in machines), 3),
                spread(iops for iops, _ in caps),
                spread((throughput for _, throughput in caps), 2),
                spread(machine.local_nvme_gb for machine in machines),
                spread((machine.price and machine.price.usd_hour for machine in machines), 4),
            ]
        )
    return (
        f"{catalog.title}. Source: {catalog.source}. Read on {catalog.date}.\n\n"
        + table(head, rows)
        + "\n\nThe guide's machines, with their figures in this catalog:\n\n"
        + _guide_rows(catalog)
        + "\n\nThe sources:\n\n"
        + "\n".join(f"- {line}" for line in _sources(catalog))
        + "\n\nUnknown:\n\n"
        + "\n".join(f"- {line}" for line in _unknown(catalog))
    )


def _guide_rows(catalog: etcdsize.Catalog) -> str:
    """Return the guide's machines with their figures in a catalog."""
    head = ["tier", "machine", "lifecycle", "concurrent_iops", "disk_mb_per_second", "disk", "usd_hour"]
    rows = []
    for named in etcdsize.load_catalog("guide").machines:
        machine = catalog.machine(named.provider, named.machine_type)
        disk = "pd-ssd" if machine.disk_limits else "any"
        iops, throughput = machine.limits_for(disk)
        price = figure(machine.price.usd_hour) if machine.price else "unknown"
        rows.append(
            [named.tier, machine.machine_type, machine.lifecycle, figure(iops), figure(throughput), disk, price]
        )
    return table(head, rows)


def _sources(catalog: etcdsize.Catalog) -> list[str]:
    """Return every source of a catalog's figures and prices, with the number of machines that depend on it."""
    counts: dict[str, int] = {}
    for machine in catalog.machines:
        lines = [f"{machine.provider}, figures: {machine.source}"]
        lines += dict.fromkeys(f"{machine.provider}, disk limits: {limit.source}" for limit in machine.disk_limits)
        if machine.price:
            lines.append(
                f"{machine.provider}, prices of {machine.price.region}, {machine.price.date}: {machine.price.source}"
            )
        for line in lines:
            counts[line] = counts.get(line, 0) + 1
    return [f"{line} ({count} machine{'s' if count > 1 else ''})" for line, count in sorted(counts.items())]


def _unknown(catalog: etcdsize.Catalog) -> list[str]:
    """Return the unknown figures of a catalog, by family."""
    missing: dict[str, dict[str, None]] = {"price": {}, "limits for network disks": {}}
    for machine in catalog.machines:
        family = f"{machine.provider} {machine.family}"
        if machine.price is None:
            missing["price"][family] = None
        if not machine.disk_limits and machine.concurrent_iops is None:
            missing["limits for network disks"][family] = None
    return [f"{what}: {', '.join(families)}" for what, families in missing.items() if families]


def disk_table(catalog: str) -> str:
    """Return the rules of the network disks of a catalog."""
    head = ["provider", "kind", "size_gib", "IOPS", "MB/s", "bursts (never count)", "price", "source"]
    rows = []
    for kind in etcdsize.load_catalog(catalog).disk_kinds:
        size = f"{figure(kind.min_size_gib)} to {figure(kind.max_size_gib)}"
        name = f"{kind.kind} ({kind.media})"
        figures = [_iops(kind), _throughput(kind), kind.bursts or "no", _price(kind), kind.source]
        rows.append([kind.provider, name, size, *figures])
    return table(head, rows)


def _iops(kind: etcdsize.DiskKind) -> str:
    text = f"{figure(kind.included_iops)} + {figure(kind.iops_per_gib)} per GiB"
    if kind.min_iops:
        text += f", at least {figure(kind.min_iops)}"
    text += f", at most {figure(kind.max_iops)}"
    if kind.iops_provisionable:
        text += f"; provisionable, at most {figure(kind.max_iops_per_gib)} per GiB"
    return text


def _throughput(kind: etcdsize.DiskKind) -> str:
    text = f"{figure(kind.included_mb_per_second)} + {figure(kind.mb_per_second_per_gib)} per GiB"
    if kind.mb_per_second_per_iops:
        text += f" + {figure(kind.mb_per_second_per_iops)} per IOPS"
    text += f", at most {figure(kind.max_mb_per_second)}"
    if kind.mb_per_second_provisionable:
        text += f"; provisionable, at most {figure(kind.max_mb_per_second_per_iops)} per IOPS"
    return text


def _price(kind: etcdsize.DiskKind) -> str:
    price = kind.price
    if price is None:
        return "unknown"
    parts = [f"${figure(price.usd_gib_month)} per GiB"]
    for step in price.usd_iops_month or ():
        parts.append(f"${figure(step.usd_month)} per IOPS" + (f" up to {figure(step.up_to)}" if step.up_to else ""))
    if price.usd_mb_per_second_month is not None:
        parts.append(f"${figure(price.usd_mb_per_second_month)} per MB/s")
    return f"{', '.join(parts)}, each per month; {price.region}, {price.date}: {price.source}"


def catalog_table(name: str) -> str:
    """Return every figure of a catalog, and its errata."""
    catalog = etcdsize.load_catalog(name)
    if not any(machine.tier for machine in catalog.machines):
        return family_table(name)

    head = [
        "tier",
        "provider",
        "machine_type",
        "vcpus",
        "memory_gib",
        "concurrent_iops",
        "disk_mb_per_second",
        "disk",
        "arch",
        "lifecycle",
        "erratum",
        "source",
    ]
    rows = [
        [
            machine.tier or "none",
            machine.provider,
            machine.machine_type,
            machine.vcpus,
            figure(machine.memory_gib),
            figure(machine.concurrent_iops),
            figure(machine.disk_mb_per_second),
            machine.disk or "not given",
            machine.arch or "unknown",
            machine.lifecycle or "unknown",
            ", ".join(erratum.field for erratum in machine.errata) or "none",
            machine.source,
        ]
        for machine in catalog.machines
    ]
    return f"{catalog.title}. Source: {catalog.source}. Read on {catalog.date}.\n\n" + table(head, rows)


def errata_table() -> str:
    """Return every erratum of every catalog, once."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name in CATALOGS:
        for machine in etcdsize.load_catalog(name).machines:
            for erratum in machine.errata:
                cell = (
                    f"{machine.tier}, {machine.provider}",
                    erratum.field,
                    erratum.printed,
                    erratum.correct,
                    erratum.reason,
                    erratum.source,
                )
                found.setdefault(cell, []).append(name)
    head = ["row", "field", "printed", "correct", "how we know", "source", "listed in"]
    return table(head, [[*cell, ", ".join(names)] for cell, names in found.items()])


def needs_table() -> str:
    """Return what a member of each tier needs."""
    needs = [etcdsize.need_for(tier) for tier in etcdsize.load_tiers("guide").names]
    head = ["tier", "vcpus", "memory_gib", "concurrent_iops", "disk_mb_per_second", "data_bytes", "sequential IOPS"]
    rows = [
        [
            need.tier,
            need.vcpus,
            figure(need.memory_gib),
            figure(need.concurrent_iops),
            figure(need.disk_mb_per_second),
            f"{need.data_bytes:,}",
            sequential_iops_for(need.vcpus),
            need.source,
        ]
        for need in needs
    ]
    return table([*head, "source"], rows)


def latencies_table() -> str:
    """Return how long a write to a network disk takes."""
    head = ["provider", "kinds", "low_ms", "usual_ms", "high_ms", "writes a second", "source"]
    rows = [
        [
            one.provider,
            ", ".join(one.kinds),
            figure(one.low_ms),
            figure(one.usual_ms),
            figure(one.high_ms),
            one.sequential_iops,
            one.source,
        ]
        for one in fsync_need_for(8).expected
    ]
    return table(head, rows)


def versions_table() -> str:
    """Return the versions of etcd, their support status and what was run."""
    versions = etcdsize.load_versions()
    head = ["version", "status", "support until", "oldest safe patch", "released", "how we know its flags", "source"]
    head += ["source of its flags", "read on"]
    rows = [
        [
            version.name,
            version.status,
            version.until or "no date known",
            version.oldest_safe_patch or "none",
            version.oldest_safe_patch_date or "",
            version.evidence,
            version.source,
            version.flags_source,
            version.date,
        ]
        for version in versions.versions
    ]
    return table(head, rows)


def flags_table() -> str:
    """Return every flag of etcd that we know, with its default by version."""
    versions = etcdsize.load_versions()
    names = [version.name for version in versions.versions]

    def default(flag: etcdsize.EtcdFlag, version: str) -> str:
        if version not in flag.defaults:
            return "—"
        value = flag.defaults[version]
        text = str(value).lower() if isinstance(value, bool) else str(value)
        since = f" (since {flag.since[version]})" if version in flag.since else ""
        deprecated = " (deprecated)" if version in flag.deprecated_in else ""
        return f"{f'`{text}`' if text else ''}{since}{deprecated}".strip()

    rows = []
    # The experimental form of a flag beside the flag that replaced it.
    for flag in sorted(versions.flags, key=lambda flag: (flag.name.removeprefix("experimental-"), flag.name)):
        key = "same" if flag.config_key == flag.name else f"`{flag.config_key}`" if flag.config_key else "none"
        if flag.no_config_key_in:
            key += f"; not in {', '.join(flag.no_config_key_in)}"
        beside = [f"Instead: {flag.instead}." if flag.instead else "", flag.note or ""]
        cells = [default(flag, name) for name in names]
        rows.append([f"`{flag.name}`", flag.kind, *cells, key, " ".join(filter(None, beside))])
    return table(["flag", "kind", *names, "config file key", "note"], rows)


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return a parser's commands by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def help_text(command: str) -> str:
    """Return the help of `etcdsize` or of one of its commands, as it prints it."""
    from etcdsize.cli import build_parser

    parser = build_parser()
    words = command.split()[1:]
    for word in words:
        parser = subcommands(parser)[word]
    return f"```text\n{parser.format_help().rstrip()}\n```"


def first_line(thing: object) -> str:
    """Return the first sentence of a docstring, on one line."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def terraform_table() -> str:
    """Return what Terraform may ask."""
    from etcdsize.plan.terraform import QUERY

    return table(["key", "what it is"], [[f"`{name}`", text] for name, text in QUERY.items()])


def columns() -> str:
    """Return the names of columns that `etcdsize fleet` knows."""
    from etcdsize.batches.columns import _DATA_NAMES, _DATA_UNITS, _NAMES

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in names)

    rows = [[f"`{what}`", listed(names)] for what, names in _NAMES.items() if what != "data_bytes"]
    units = listed(filter(None, _DATA_UNITS))
    rows.insert(2, ["`data_bytes`", f"{listed(_DATA_NAMES)}, each alone or with {units} after it"])
    return table(["what", "names"], rows)


# Values have no docstring of their own.
CONSTANTS = {
    "INVALID": "255, the tier code of a load that cannot be sized. [uint8]",
    "__version__": "The version of the package.",
}


def public() -> dict[str, Any]:
    """Return every public name and what it is."""
    return {name: getattr(etcdsize, name) for name in etcdsize.__all__}


def home(thing: Any) -> str:
    """Return the module that a name lives in."""
    name = thing.__module__.removeprefix("etcdsize.").replace(".", "/")
    is_folder = (Path(etcdsize.__file__).parent / name).is_dir()
    return f"`{name}/`" if is_folder else f"`{name}.py`"


def functions() -> str:
    """Return the public functions with their parameters."""
    parts = []
    for name, thing in public().items():
        if inspect.isfunction(thing):
            parts.append([f"`{name}({parameters(thing)})`", first_line(thing), home(thing)])
    return table(["function", "what it returns", "in"], parts)


def parameters(function: Callable[..., Any]) -> str:
    """Return a function's parameters with their defaults, without annotations."""
    said: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in said:
            said.append("*")
        default = parameter.default
        said.append(parameter.name if default is parameter.empty else f"{parameter.name}={default!r}".replace("'", '"'))
    return ", ".join(said)


def models() -> str:
    """Return the public models, field by field."""
    parts = []
    for name, thing in public().items():
        if inspect.isclass(thing) and issubclass(thing, BaseModel):
            fields = [[f"`{field}`", info.description or ""] for field, info in thing.model_fields.items()]
            members = [[f"`{member}`", first_line(value)] for member, value in own_members(thing)]
            parts.append(f"### {name}\n\n{first_line(thing)} In {home(thing)}.")
            parts.append(table(["field", "what"], fields))
            if members:
                parts.append(table(["more", "what"], members))
    return "\n\n".join(parts)


def structures() -> str:
    """Return the public classes that are neither models nor errors."""
    parts = []
    for name, thing in public().items():
        if inspect.isclass(thing) and not issubclass(thing, (BaseModel, Exception)):
            members = [[f"`{member}`", said] for member, said in own_attributes(thing)]
            members += [[f"`{member}`", first_line(value)] for member, value in own_members(thing)]
            parts.append(
                f"### {name}\n\n{first_line(thing)} In {home(thing)}.\n\n" + table(["member", "what"], members)
            )
    return "\n\n".join(parts)


def own_members(thing: type) -> Iterator[tuple[str, Any]]:
    """Give the properties and methods that a class defines itself and says something about."""
    for member, value in vars(thing).items():
        if member.startswith("_") or not inspect.getdoc(value):
            continue
        if inspect.isfunction(value):
            yield f"{member}({parameters(value).removeprefix('self').removeprefix(', ')})", value
        elif isinstance(value, property):
            yield member, value
        elif isinstance(value, cached_property):
            yield member, value.func


def own_attributes(thing: type) -> Iterator[tuple[str, str]]:
    """Give the attributes that a class's `__init__` sets, with the string that follows each."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing.__init__)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    for statement, after in itertools.pairwise(body):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
        if isinstance(target, ast.Attribute) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield target.attr, str(after.value.value)


def errors() -> str:
    """Return the public errors."""
    rows = [
        [f"`{name}`", ", ".join(f"`{base.__name__}`" for base in thing.__bases__), first_line(thing)]
        for name, thing in public().items()
        if inspect.isclass(thing) and issubclass(thing, Exception)
    ]
    return table(["error", "is also", "what"], rows)


def constants() -> str:
    """Return the public values."""
    return table(["name", "what"], [[f"`{name}`", CONSTANTS[name]] for name in public() if name in CONSTANTS])


def schema() -> str:
    """Return the JSON schema of a sizing."""
    return json.dumps(etcdsize.Sizing.model_json_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def region(name: str) -> str:
    """Return what a region holds."""
    kind, _, which = name.partition(" ")
    if kind == "tiers":
        return tier_table(which)
    if kind == "catalog":
        return catalog_table(which)
    if kind == "disks":
        return disk_table(which)
    if kind == "help":
        return help_text(which)
    return {
        "columns": columns,
        "errata": errata_table,
        "latencies": latencies_table,
        "needs": needs_table,
        "versions": versions_table,
        "flags": flags_table,
        "terraform": terraform_table,
        "functions": functions,
        "models": models,
        "structures": structures,
        "errors": errors,
        "constants": constants,
    }[kind]()


def expected_regions() -> set[str]:
    """Return the regions that some page must have, so that nothing new stays undocumented."""
    from etcdsize.cli import build_parser

    commands = ["etcdsize"]
    for name, command in subcommands(build_parser()).items():
        commands += [f"etcdsize {name}", *(f"etcdsize {name} {deeper}" for deeper in subcommands(command))]
    return {
        *(f"tiers {name}" for name in TIERS),
        *(f"catalog {name}" for name in CATALOGS),
        *(f"disks {name}" for name in CATALOGS if etcdsize.load_catalog(name).disk_kinds),
        *(f"help {command}" for command in commands),
        "columns",
        "errata",
        "latencies",
        "needs",
        "versions",
        "flags",
        "terraform",
        "functions",
        "models",
        "structures",
        "errors",
        "constants",
    }


def generated() -> dict[Path, str]:
    """Return every generated file as it should be."""
    pages: dict[Path, str] = {DOCS / "sizing.schema.json": schema()}
    seen: set[str] = set()
    for path in sorted([*DOCS.glob("*.md"), *DOCS.glob("cli/*.md")]):
        text = path.read_text(encoding="utf-8")
        seen.update(match[2] for match in REGION.finditer(text))
        if REGION.search(text):
            pages[path] = REGION.sub(lambda match: f"{match[1]}\n{region(match[2])}\n\n{match[4]}", text)
    missing = expected_regions() - seen
    if missing:
        raise SystemExit(f"no page has a region for: {', '.join(sorted(missing))}")
    return pages


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write what the documentation takes from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is out of date")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale += 1
            print(f"{path.relative_to(DOCS)}: {'out of date; run python docs/generate.py' if check else 'written'}")
            if not check:
                path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
