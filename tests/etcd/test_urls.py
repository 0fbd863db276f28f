"""URLs of members in a plan, and endpoints as etcdctl accepts them.

`invalid_plans` lists the URLs that a plan rejects, with every message.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import EtcdSizeError, OptionError
from etcdsize.etcd.urls import Url, UrlError, endpoints_of, parse_url


class TestMemberUrls:
    """etcd accepts scheme, host and port, and compares URLs as text."""

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
    def test_returns_the_parts_of_a_url(self, text, scheme, host, port):
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
    def test_which_hosts_etcd_can_listen_on(self, host, bound, loopback, wildcard):
        url = parse_url(f"http://{host}:1")
        assert (url.can_be_bound, url.is_loopback, url.is_wildcard) == (bound, loopback, wildcard)

    @given(st.ip_addresses(), st.integers(1, 65535), st.sampled_from(["http", "https"]))
    def test_parts_of_every_ip_address(self, address, port, scheme):
        host = f"[{address}]" if address.version == 6 else str(address)
        assert parse_url(f"{scheme}://{host}:{port}") == Url(scheme, str(address), port)

    @given(st.text())
    def test_rejects_any_other_text(self, text):
        with pytest.raises(UrlError, match=r"^got "):
            parse_url(f"http://{text}")


EXPECTED = "expected a member's client URL such as http://10.0.0.1:2379"


class TestEndpoints:
    """etcdctl accepts commas between URLs, URLs without a scheme, and a slash at the end."""

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
    def test_adds_the_scheme_and_drops_duplicates(self, texts, secure, urls):
        assert endpoints_of(texts, secure=secure) == urls

    @pytest.mark.parametrize(
        ("texts", "secure", "message"),
        [
            ([], False, f"endpoints: got none, {EXPECTED}"),
            ("", False, f'endpoints: got "", {EXPECTED}'),
            ("a:1,", False, f'endpoints: got "", {EXPECTED}'),
            ("a:1, b:2", False, f'endpoints: got " b:2", {EXPECTED}'),
            ([5], False, f"endpoints: got a value of type int, {EXPECTED}"),
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
                "endpoints: got a user or a password (text with @, not shown), expected none: what is in a URL is "
                "printed",
            ),
            (
                "http://a:2379",
                True,
                'endpoints: got "http://a:2379", expected https://, as certificates are given; without them nothing is '
                "encrypted",
            ),
        ],
    )
    def test_rejects_what_no_member_can_have(self, texts, secure, message):
        with pytest.raises(OptionError) as caught:
            endpoints_of(texts, secure=secure)
        assert str(caught.value) == message

    @pytest.mark.parametrize("scheme", ["", "http://", "HTTP://", "etcd://", "://"])
    @pytest.mark.parametrize(
        "password", ["s3cret", "s3cr et", "s3cret\\", "s3cret/", "s3cret#", "s3cret,", "s3cret?\n"]
    )
    def test_a_password_is_never_shown(self, scheme, password):
        """Whatever else is wrong with the URL, and wherever it stands."""
        url = f"{scheme}user:{password}@h:2379"
        for texts in (url, ["a:1", url], f"a:1,{url}", f"{url},a:b", [[url]], [{"x": url}], url.encode()):
            caught = [result(endpoints_of, texts)]
            if isinstance(texts, str):
                caught.append(result(parse_url, texts))
            assert all(isinstance(one, EtcdSizeError) for one in caught)
            assert "s3cr" not in repr([vars(one) for one in caught])

    @given(st.text(max_size=30) | st.text("htp:/.,@[]0123456789a#?%", max_size=30), st.booleans())
    def test_any_text_is_accepted_or_rejected_on_one_line(self, text, secure):
        found = result(lambda: endpoints_of(text, secure=secure))
        if isinstance(found, OptionError):
            assert len(str(found).splitlines()) == 1
        else:
            assert all(url.startswith(("http://", "https://")) for url in found)
            assert endpoints_of(found, secure=secure) == found
