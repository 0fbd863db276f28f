"""Addresses of members, as etcdctl takes them; what no member can have is refused with what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import OptionError
from etcdsize.etcd.endpoints import endpoints_of


@pytest.mark.parametrize(
    ("texts", "secure", "urls"),
    [
        ("http://10.0.0.1:2379", False, ("http://10.0.0.1:2379",)),
        ("HTTP://Infra1.Example:2379/", False, ("http://infra1.example:2379",)),
        ("https://[::1]:2379", False, ("https://[::1]:2379",)),
        ("10.0.0.1:2379", False, ("http://10.0.0.1:2379",)),
        ("10.0.0.1:2379", True, ("https://10.0.0.1:2379",)),
        ("localhost:2379", False, ("http://localhost:2379",)),
        ("a:1,b:2", False, ("http://a:1", "http://b:2")),
        (["a:1", "http://a:1/", "b:2"], False, ("http://a:1", "http://b:2")),
    ],
)
def test_taken(texts, secure, urls):
    assert endpoints_of(texts, secure=secure) == urls


EXPECTED = "expected a member's client URL such as http://10.0.0.1:2379"


@pytest.mark.parametrize(
    ("texts", "secure", "message"),
    [
        ([], False, f"endpoints: got none, {EXPECTED}"),
        ("", False, f'endpoints: got "", {EXPECTED}'),
        ("a:1,", False, f'endpoints: got "", {EXPECTED}'),
        ("a:1, b:2", False, f'endpoints: got " b:2", {EXPECTED}'),
        ([5], False, f"endpoints: got 5, {EXPECTED}"),
        ("http://", False, f'endpoints: got "http://", {EXPECTED}'),
        ("http://a:b", False, f'endpoints: got "http://a:b", {EXPECTED}'),
        ("http://a:99999", False, f'endpoints: got "http://a:99999", {EXPECTED}'),
        ("a\nb:1", False, f'endpoints: got "a\\nb:1", {EXPECTED}'),
        ("unix:///run/etcd", False, 'endpoints: got "unix:///run/etcd", expected http:// or https://'),
        ("grpc://a:1", False, 'endpoints: got "grpc://a:1", expected http:// or https://'),
        (
            "http://a",
            False,
            'endpoints: got "http://a", expected a port as well, such as http://a:2379',
        ),
        (
            "http://a:2379/metrics",
            False,
            'endpoints: got "http://a:2379/metrics", expected no path: http://a:2379; /metrics is added',
        ),
        (
            "http://root:secret@a:2379",
            False,
            'endpoints: got a user or a password for "a", expected none: what is in a URL is printed',
        ),
        (
            "http://a:2379",
            True,
            'endpoints: got "http://a:2379", expected https://, as certificates are given; without them nothing is '
            "encrypted",
        ),
    ],
)
def test_refused(texts, secure, message):
    with pytest.raises(OptionError) as caught:
        endpoints_of(texts, secure=secure)
    assert str(caught.value) == message


@given(st.text(max_size=30) | st.text("htp:/.,@[]0123456789a#?%", max_size=30), st.booleans())
def test_any_text(text, secure):
    found = result(lambda: endpoints_of(text, secure=secure))
    if isinstance(found, OptionError):
        assert len(str(found).splitlines()) == 1
    else:
        assert all(url.startswith(("http://", "https://")) for url in found)
        assert endpoints_of(found, secure=secure) == found
