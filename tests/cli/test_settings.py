"""`etcdsize settings`: the settings of the library, as text and as JSON, and one line for every error."""

from __future__ import annotations

from functools import partial

import pytest
from loads import LOADS

from etcdsize import EtcdSettings, settings_for, size
from etcdsize.reports.settings import render_settings


@pytest.fixture
def run(run):
    return partial(run, "settings")


@pytest.mark.parametrize(("arguments", "load", "options"), LOADS)
def test_options_reach_the_library(run, arguments, load, options):
    expected = settings_for(size(**load), **options)
    assert run(*arguments) == (0, render_settings(expected), "")
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    assert EtcdSettings.model_validate_json(out) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--data: missing; add a load: one or more of --clients, --requests-per-second, --data and "
         "--kubernetes-nodes, or --profile"),
        (["--kubernetes"], "--data: missing; add a load: one or more of --clients, --requests-per-second, --data and "
         "--kubernetes-nodes, or --profile"),
        (["--data", "4GB", "--etcd-version", "2.3"], '--etcd-version: got "2.3", expected one of 3.4, 3.5, 3.6, 3.7'),
        (["--data", "4GB", "--peer-rtt-ms", "9000"], "--peer-rtt-ms: got 9000, expected at most 5000"),
        (["--data", "4GB", "--peer-rtt-ms", "-1"], '--peer-rtt-ms: got "-1", expected a count such as "300"'),
    ],
)  # fmt: skip
def test_invalid_options_are_rejected(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"etcdsize: {message}")
    assert len(err.splitlines()) == 1
