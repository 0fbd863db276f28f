"""URLs as etcd takes them for a member; what is refused is in the table of invalid plans."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize.etcd.urls import Url, UrlError, parse_url


class TestParts:
    @pytest.mark.parametrize(
        ("text", "scheme", "host", "port"),
        [
            ("http://10.0.0.1:2380", "http", "10.0.0.1", 2380),
            ("https://node-1.example.:65535", "https", "node-1.example.", 65535),
            ("http://my_node:1", "http", "my_node", 1),
            ("http://[fd00::1]:2379", "http", "fd00::1", 2379),
            ("http://LocalHost:80", "http", "LocalHost", 80),
        ],
    )
    def test_are(self, text, scheme, host, port):
        assert parse_url(text) == Url(scheme, host, port)

    @pytest.mark.parametrize(
        ("host", "bound", "loopback", "wildcard"),
        [
            ("10.0.0.1", True, False, False),
            ("localhost", True, True, False),
            ("LOCALHOST", False, True, False),
            ("127.9.9.9", True, True, False),
            ("0.0.0.0", True, False, True),
            ("[::]", True, False, True),
            ("[::1]", True, True, False),
            ("node1", False, False, False),
        ],
    )
    def test_where_etcd_listens(self, host, bound, loopback, wildcard):
        url = parse_url(f"http://{host}:1")
        assert (url.can_be_bound, url.is_loopback, url.is_wildcard) == (bound, loopback, wildcard)

    @given(st.ip_addresses(), st.integers(1, 65535), st.sampled_from(["http", "https"]))
    def test_every_address(self, address, port, scheme):
        host = f"[{address}]" if address.version == 6 else str(address)
        assert parse_url(f"{scheme}://{host}:{port}") == Url(scheme, str(address), port)

    @given(st.text())
    def test_anything_else_is_refused(self, text):
        with pytest.raises(UrlError, match=r"^got "):
            parse_url(f"http://{text}")
