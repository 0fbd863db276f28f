"""Readers of text: sizes, versions, URLs, metrics, status, Kubernetes, targets, listings, price lists, queries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from random import Random

import etcdsize
from etcdsize.errors import EtcdSizeError
from etcdsize.etcd.urls import endpoints_of, parse_url
from etcdsize.observation.targets import read_targets
from etcdsize.plan.terraform import QUERY, answer
from etcdsize.units import BYTE_UNITS, parse_count, parse_whole
from tests.fuzz.material import changed, damaged, json_bytes, number, quantity, text, word
from tests.fuzz.options import SOUND
from tests.fuzz.outcome import CONTROLS
from tests.support.api_server import api_server_page
from tests.support.paths import DATA, OBSERVED
from tests.support.strategies import result

PLAIN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?: ?([A-Za-z]+))?", re.ASCII)


def units(random: Random) -> object:
    """Compare each reader of a number with exact fractions."""
    given = random.choice((quantity, number, word))(random)
    read = random.choice(
        (
            etcdsize.parse_bytes,
            etcdsize.parse_rate,
            etcdsize.parse_duration,
            etcdsize.parse_fraction,
            parse_count,
            parse_whole,
        )
    )
    plain = PLAIN.fullmatch(given)
    try:
        found = read(given)
    except EtcdSizeError:
        sound = plain and len(given) < 300 and (plain[2] is None or plain[2] in BYTE_UNITS)
        assert not (sound and read is etcdsize.parse_bytes), f"{given} is a size"
        raise
    assert type(found) in (int, float)
    assert found >= 0
    assert found < float("inf")
    if read is etcdsize.parse_bytes:
        if plain:
            exact = Fraction(plain[1]) * BYTE_UNITS[plain[2] or "B"]
            assert found == (exact if exact.denominator == 1 else float(exact)), f"{given} gives {found}"
        written = etcdsize.format_bytes(found)
        assert type(found)(etcdsize.parse_bytes(written)) == found, f"{found!r} is written as {written}"
    return found


@cache
def metrics_lines() -> list[bytes]:
    """Return the lines of a member's metrics that are read, and a few others."""
    lines = (OBSERVED / "infra0-before.txt").read_bytes().splitlines(keepends=True)
    return [line for line in lines if not line.startswith(b"go_") or b"_seconds" in line]


METRIC_VALUES = (
    b"0 1 -1 0.5 1e300 1.7e308 1e400 NaN +Inf -Inf 9007199254740993 0x10 1_0 1e5 12345678901234567890".split()
)
LABELS = (
    b"R\x1b[31mange",
    b"\\n",
    b'\\"',
    b"\\\\",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"",
    b"a,b=",
    b"}",
    b"x" * 5000,
    b"\xf0\x9f\x9a\x80",
    b"`id`",
)


@cache
def api_server_lines() -> list[bytes]:
    """Return the lines of an API server's metrics."""
    return api_server_page(lists={"pods": (4, 20_000)}, leases=(10, 640)).encode().splitlines(keepends=True)


def metrics_text(random: Random, lines: list[bytes]) -> bytes:
    """Return metrics with lines changed, dropped, repeated and damaged."""
    lines = list(lines)
    for _ in range(random.choice((0, 1, 1, 2, 5, 20))):
        at = random.randrange(len(lines))
        line = lines[at]
        match random.randrange(6):
            case 0:
                lines[at] = line.rsplit(b" ", 1)[0] + b" " + random.choice(METRIC_VALUES) + b"\n"
            case 1:
                lines[at] = re.sub(rb'="[^"]*"', lambda _: b'="' + random.choice(LABELS) + b'"', line, count=1)
            case 2:
                lines[at : at + 1] = []
            case 3:
                lines.insert(random.randrange(len(lines)), line)
            case 4:
                lines[at] = damaged(random, line)
            case _:
                lines[at] = line.replace(b"{", b'{extra="1",')
    found = b"".join(lines)
    return damaged(random, found) if random.random() < 0.1 else found


def metrics(random: Random) -> object:
    scrapes = {}
    for name in ("a", "b")[: random.choice((1, 2))]:
        taken = random.choice((None, 0.0, 1.8e9, 1e18))
        scrapes[name] = etcdsize.read_metrics(metrics_text(random, metrics_lines()), taken_unix_seconds=taken)
    observation = etcdsize.combine_scrapes(scrapes)
    workload = observation.workload() if observation.is_known else None
    return etcdsize.size(workload) if workload is not None else observation


def api_server(random: Random) -> object:
    pages = [metrics_text(random, api_server_lines()) for _ in range(random.choice((1, 1, 2)))]
    seconds = random.choice((1e-9, 60, 1e18))
    load = etcdsize.read_apiserver_metrics(*pages, seconds=None if len(pages) == 1 else seconds)
    return etcdsize.resources_for(load.profile)


def cluster(random: Random) -> object:
    def given() -> str:
        other = random.choice((number, quantity, word, lambda random: f"{number(random)}..{number(random)}"))
        return sound(random, random.choice(("0", "5", "1e6", "3..40", "0..7..1e9")), other)

    objects: dict[str, object] = {}
    for name in random.sample(("secrets", "events", "jobs", "deployments.apps"), random.randrange(3)):
        objects[sound(random, name, text)] = given()
    if random.random() < 0.3:
        objects["widgets.example.com"] = {"count": given(), "value_bytes": given(), "writes_per_second": given()}
    pods = given() if random.random() < 0.5 else None
    return etcdsize.resources_for(etcdsize.kubernetes_profile(given(), pods, objects))


def status(random: Random) -> object:
    document = json.loads((OBSERVED / "status.json").read_text(encoding="utf-8"))
    return etcdsize.read_endpoint_status(json_bytes(random, changed(random, document)))


def targets(random: Random) -> object:
    document = [
        {
            "targets": ["10.0.0.1:2379", "10.0.0.2:2379"],
            "labels": {"cluster": "a", "clients": "300", "__scheme__": "https"},
        },
        {"targets": ["[::1]:2379"], "labels": {"cluster": word(random), "provider": "aws"}},
    ]
    return read_targets(json_bytes(random, changed(random, document)), secure=random.random() < 0.5)


def sound(random: Random, value: str, other: Callable[[Random], str]) -> str:
    """Return a sound value, most of the time."""
    return value if random.random() < 0.8 else other(random)


def prices(random: Random) -> object:
    date = sound(random, "2026-11-01", lambda random: random.choice(("20261101", "2026-W45-1", "2026-13-01")))
    currency = sound(random, "USD", word)
    region = sound(random, "us-east-1", text)
    amount = sound(random, "0.1", number)
    lines = [
        "machine_type,price_per_hour,currency,region,date,source,disk_kind,price_per_gib_month,price_per_iops_month",
        f"m8i.large,{amount},USD,{region},2026-11-01,{sound(random, '', text)},,,",
        f"m8i.xlarge,0.2,{currency},us-east-1,{date},,,,",
        f",,USD,us-east-1,2026-11-01,,gp3,{amount},{sound(random, '', number)}",
    ]
    written = random.choice(("\n", "\r\n")).join(lines).encode("utf-8", "surrogatepass")
    return etcdsize.read_prices(
        damaged(random, written) if random.random() < 0.5 else written.decode("utf-8", "replace")
    )


def listing(random: Random) -> object:
    origin, name = random.choice(
        (
            ("aliyun", "aliyun-describe-instance-types.json"),
            ("aws", "aws-describe-instance-types.json"),
            ("az", "az-vm-list-skus.json"),
            ("doctl", "doctl-compute-size-list.json"),
            ("gcloud", "gcloud-machine-types.json"),
            ("hetzner", "hcloud-server-type-list.json"),
            ("huawei", "hcloud-ecs-list-flavors.json"),
            ("oci", "oci-compute-shape-list.json"),
            ("openstack", "openstack-flavor-list.json"),
            ("tencent", "tccli-describe-instance-type-configs.json"),
            ("tencent", "tccli-describe-zone-instance-config-infos.json"),
        )
    )
    document = json.loads((DATA / name).read_text(encoding="utf-8"))
    return etcdsize.read_listing(origin, json_bytes(random, changed(random, document)), date="2026-11-01")


def price_list(random: Random) -> object:
    origin, name = random.choice(
        (
            ("aws-prices", "aws-get-products-ec2.json"),
            ("azure-prices", "azure-retail-prices-vm.json"),
            ("cyclenerd", "cyclenerd-pricing.yml"),
            ("gce-skus", "gce-skus-hyperdisk-iops.json"),
        )
    )
    content = (DATA / name).read_bytes()
    if name.endswith(".json"):
        document = json.loads(content)
        if origin == "aws-prices":
            document["PriceList"] = [json.loads(entry) for entry in document["PriceList"]]
        given = json_bytes(random, changed(random, document))
    else:
        given = damaged(random, content)
    region = sound(random, "europe-west4", word) if random.random() < 0.5 else None
    return etcdsize.read_price_list(origin, given, region=region, date=sound(random, "2026-11-01", word))


def query(random: Random) -> object:
    names = {"kubernetes": ["true", "false"], "hosts": ["a=10.0.0.1", "a=10.0.0.1,b=10.0.0.2"], "zones": ["a=x,b=y"]}
    values = {"clients": "5"}
    for name in random.sample(sorted(QUERY), random.randrange(8)):
        sound = names.get(name) or [one for one in SOUND.get(name, [""]) if "." not in one or name != "catalog"]
        values[name] = random.choice(sound) if random.random() < 0.7 else word(random)
    found = answer(json_bytes(random, values if random.random() < 0.9 else changed(random, values)))
    assert all(isinstance(one, str) for one in found.values())
    return found


def urls(random: Random) -> object:
    scheme = random.choice(("http://", "https://", "", "HTTP://", "unix://", "//"))
    host = random.choice(("127.0.0.1", "[::1]", "[fe80::1%eth0]", "etcd.example", text(random), "user:pass@h"))
    port = sound(random, ":2379", lambda random: random.choice(("", ":0", f":{number(random)}", "/path", "?q", "#f")))
    given = scheme + host + port
    if random.random() < 0.3:
        given = damaged(random, given.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
    return random.choice((parse_url, endpoints_of, lambda one: endpoints_of([one, one], secure=True)))(given)


def versions(random: Random) -> object:
    given = random.choice((lambda _: "3.5.", lambda _: "v3.6.", lambda _: "3.", text))(random) + number(random)
    return etcdsize.load_versions().version(given)


READERS: tuple[Callable[[Random], object], ...] = (
    units,
    units,
    units,
    metrics,
    api_server,
    cluster,
    status,
    targets,
    prices,
    listing,
    listing,
    price_list,
    query,
    urls,
    urls,
    versions,
)


def texts(random: Random, folder: Path) -> str:
    """Call a reader of text: it answers, or it raises an error of ours whose message is safe to print."""
    reader = random.choice(READERS)
    found = result(reader, random)
    if not isinstance(found, EtcdSizeError):
        return f"{reader.__name__}: read"
    assert not CONTROLS.search(str(found)), f"the message holds {str(found)!r}"
    assert "\n" not in str(found), f"the message holds {str(found)!r}"
    return f"{reader.__name__}: refused"
