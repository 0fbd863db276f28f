"""Plans of clusters with any names, zones, paths and settings: what is written reads back as what was planned."""

from __future__ import annotations

import shlex
from pathlib import Path
from random import Random
from typing import Any

import yaml

from etcdsize import ClusterPlan, EtcdSizeError, Tls, load_versions, render, runbook
from etcdsize.etcd.flags import flag_text
from etcdsize.reports.runbook import render_runbook
from tests.fuzz.material import json_value, quantity, text, word
from tests.fuzz.outcome import CONTROLS
from tests.support.strategies import result
from tests.support.unit_files import unit_words

SPECIAL = [
    "'",
    '"',
    "\\",
    "$(id)",
    "`id`",
    "${x}",
    "%n",
    "a b",
    "#a",
    "a: b",
    "- a",
    "yes",
    "0x1F",
    "~",
    "|",
    "é漢😀",
    "$$",
    ";",
]


def odd(random: Random, sound: str) -> str:
    """Return a sound text, one with special characters, or any."""
    how = random.random()
    if how < 0.5:
        return sound
    return sound + random.choice(SPECIAL) if how < 0.8 else random.choice((word, text))(random)


def settings(random: Random, version: str) -> dict[str, Any]:
    flags = load_versions().version(version).flags
    found: dict[str, Any] = {}
    for flag in random.sample(flags, random.choice((0, 0, 1, 3))):
        default = flag.defaults.get(version)
        found[flag.name] = random.choice((default, default, json_value(random), quantity(random)))
    return found


def plan_of(random: Random) -> ClusterPlan:
    version = random.choice(("3.4", "3.5", "3.6", "3.7"))
    how: dict[str, Any] = {"etcd_version": version, "settings": settings(random, version)}
    if random.random() < 0.5:
        extra = settings(random, version) | (
            {odd(random, "brand-new"): quantity(random)} if random.random() < 0.2 else {}
        )
        how["extra_flags"] = {name if random.random() < 0.5 else f"--{name}": value for name, value in extra.items()}
    if random.random() < 0.5:
        how["token"] = odd(random, "token")
    if random.random() < 0.5:
        how["data_dir"] = odd(random, "/var/lib/etcd")
    if random.random() < 0.3:
        how["tls"] = Tls.from_dir(odd(random, "/pki"))
    if random.random() < 0.2:
        return ClusterPlan.local(random.choice((1, 3, 5)), **how)
    names = [odd(random, name) for name in "abc"[: random.choice((1, 3))]]
    hosts = {name: odd(random, f"10.0.0.{place}") if random.random() < 0.2 else f"10.0.0.{place}"
             for place, name in enumerate(names)}  # fmt: skip
    zones = {name: odd(random, "eu-1a") for name in names} if random.random() < 0.5 else {}
    return ClusterPlan.from_hosts(hosts, zones=zones, **how)


def plans(random: Random, folder: Path) -> str:
    """Write a plan in every format, and its runbook, and read them back."""
    plan = result(plan_of, random)
    if isinstance(plan, EtcdSizeError):
        assert not CONTROLS.search(str(plan)), f"the message holds {str(plan)!r}"
        return "refused"
    for member in plan.members:
        flags = plan.flags(member.name)
        words = [f"--{flag}={flag_text(value)}" for flag, value in flags.items()]
        assert shlex.split(render(plan, "flags", member.name).replace("\\\n", " "))[1:] == words, "flags"
        unit = result(render, plan, "systemd", member.name)
        if not isinstance(unit, EtcdSizeError):
            assert unit_words(unit)[1:] == words, "systemd"
        config = result(render, plan, "config", member.name)
        if not isinstance(config, EtcdSizeError):
            read = yaml.safe_load(config)
            for flag in ("name", "data-dir", "initial-cluster", "initial-cluster-token"):
                assert read[flag] == flags[flag], f"config: {flag}"
    book = runbook(plan)
    for step in book.steps:
        for one in step.commands:
            assert one.words, "a command without words"
    lines = render_runbook(book).splitlines()
    assert sum(line.startswith("```") for line in lines) % 2 == 0, "a block of the runbook is open"
    assert not CONTROLS.search("".join(lines))
    return "read"
