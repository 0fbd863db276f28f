"""The runbook's check of the performance, once from its beginning to its end; it began with an earlier test."""

from __future__ import annotations

import re

import pytest


@pytest.mark.slow(seconds=5)
@pytest.mark.xdist_group("runbooks on etcd")
def test_a_whole_check_says_how_fast_etcd_is_and_deletes_its_keys(whole_check):
    operator, said = whole_check
    # It does not matter whether this machine passes.
    assert re.search(r"\d+ writes/s", said())
    assert operator.ctl("get", "--prefix", "/etcdctl-check-perf/") == ""
