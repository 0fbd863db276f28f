"""The values that etcd refuses when it starts, beyond those that are of the wrong kind."""

from __future__ import annotations

import re
from collections.abc import Callable

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError
from etcdsize.etcd.flag import Value
from etcdsize.etcd.flags import BOOLEANS, check_value, nanoseconds
from etcdsize.etcd.quota import LARGEST_QUOTA_BYTES
from etcdsize.etcd.urls import UrlError, parse_url, reject_user
from etcdsize.etcd.versions import EtcdVersion
from etcdsize.plan.tls import check_path
from etcdsize.printable import has_password

__all__ = ["LISTENERS", "LOG_STREAMS", "check_flag", "feature_gates", "paths_of", "urls_of"]

_PATHS = (
    *("data-dir", "wal-dir", "client-crl-file", "peer-crl-file"),
    *("cert-file", "key-file", "trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-trusted-ca-file"),
    *("client-cert-file", "client-key-file", "peer-client-cert-file", "peer-client-key-file"),
)
# server/embed/config_logging.go. A log output is one of these, or a file.
LOG_STREAMS = ("default", "stderr", "stdout", "systemd/journal")
"""The outputs of the log that are not files."""
_KEYS_OF_TOKENS = ("pub-key=", "priv-key=")

LISTENERS = ("listen-client-http-urls", "listen-metrics-urls")
"""The flags with more URLs to listen on."""

# etcd-io/etcd pkg/flags/uint32.go.
_MOST_STREAMS = 2**32 - 1

# golang/go src/crypto/tls/cipher_suites.go, CipherSuites and InsecureCipherSuites, and two names of etcd's own
# (client/pkg/tlsutil/cipher_suites.go).
_CIPHER_SUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
)
# golang-jwt/jwt; the first letters say which key a method needs.
_SIGN_METHODS = tuple(f"{family}{size}" for family in ("RS", "PS", "ES", "HS") for size in (256, 384, 512))


def check_flag(version: EtcdVersion, name: str, value: object) -> None:
    """Reject a flag that the version lacks, and a value that etcd would refuse.

    Raises
    ------
    EtcdSizeError
        The message names the flag.
    """
    flag = version.flag(name)
    checked = check_value(version, flag, value)
    for path in paths_of(name, checked):
        check_path(path, f"--{name}")
    rule = _RULES.get(name)
    if rule is not None:
        try:
            rule(version, checked)
        except (OptionError, UrlError) as error:
            may_be_secret = isinstance(error, UrlError) and "@" in str(value)
            raise OptionError(f"--{name}: {error}", option=name, value=None if may_be_secret else value) from None


def feature_gates(version: EtcdVersion, text: str) -> dict[str, bool]:
    """Return the gates that a value of `--feature-gates` sets.

    Raises
    ------
    OptionError
        For a gate that the version lacks, or that is neither true nor false.
    """
    known = version.feature_gates
    found = {}
    for part in filter(None, text.split(",")):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            raise _rejected(name, f"a feature gate of etcd {version}: {', '.join(known)}{nearest(name, known)}")
        if value not in BOOLEANS:
            raise _rejected(part, f"{name}=true or {name}=false")
        found[name] = BOOLEANS[value]
    return found


def paths_of(name: str, value: Value) -> tuple[str, ...]:
    """Return the paths in the value of a flag.

    >>> paths_of("log-outputs", "stderr,/var/log/etcd.log"), paths_of("auth-token", "jwt,sign-method=RS256,pub-key=a")
    (('/var/log/etcd.log',), ('a',))
    """
    parts = str(value).split(",")
    if name in ("log-output", "log-outputs"):
        found = [re.sub("^file://(localhost)?", "", part) for part in parts if part not in LOG_STREAMS]
    elif name == "auth-token":
        found = [part.partition("=")[2] for part in parts if part.startswith(_KEYS_OF_TOKENS)]
    else:
        found = [str(value)] if name in _PATHS else []
    return tuple(filter(None, found))


def urls_of(value: Value) -> tuple[str, ...]:
    """Return the URLs of a flag."""
    return tuple(filter(None, str(value).split(",")))


def _check_gates(version: EtcdVersion, value: Value) -> None:
    feature_gates(version, str(value))


def _check_quota(_version: EtcdVersion, value: Value) -> None:
    if int(value) > LARGEST_QUOTA_BYTES:
        raise _rejected(
            value,
            f"at most {LARGEST_QUOTA_BYTES}: etcd maps the whole quota into its address space of 47 bits; split the "
            "data among several clusters",
        )


def _check_streams(_version: EtcdVersion, value: Value) -> None:
    if int(value) > _MOST_STREAMS:
        raise _rejected(value, f"at most {_MOST_STREAMS}")


def _check_above_zero(_version: EtcdVersion, value: Value) -> None:
    if not nanoseconds(str(value)):
        raise _rejected(value, "a duration above 0, such as 1m")


def _check_listeners(_version: EtcdVersion, value: Value) -> None:
    if not value:
        return
    reject_user(str(value))
    for text in str(value).split(","):
        url = parse_url(text)
        if not url.can_be_bound:
            raise _rejected(
                text,
                "an IP address or localhost: etcd cannot listen on other host names; write "
                f"{url.scheme}://0.0.0.0:{url.port} to listen on every address of the machine",
            )


def _check_outputs(_version: EtcdVersion, value: Value) -> None:
    # A path may have an @.
    if has_password(str(value)):
        reject_user(str(value))


def _check_origins(_version: EtcdVersion, value: Value) -> None:
    reject_user(str(value))
    for text in () if value == "*" else str(value).split(","):
        try:
            parse_url(text)
        except UrlError:
            raise _rejected(
                text, "* alone, or origins with a scheme, a host and a port, such as https://a.example:443"
            ) from None


def _check_suites(_version: EtcdVersion, value: Value) -> None:
    if not value:
        raise _rejected(
            value, "cipher suites of Go's crypto/tls, or no flag: etcd reads nothing as the name of a suite"
        )
    for name in str(value).split(","):
        if name not in _CIPHER_SUITES:
            raise _rejected(
                name,
                f"cipher suites of Go's crypto/tls, such as {_CIPHER_SUITES[9]}{nearest(name, _CIPHER_SUITES)}",
            )


def _check_token(version: EtcdVersion, value: Value) -> None:
    """Reject a token provider that etcd does not have, and a JWT without its method or its keys."""
    kind, *pairs = str(value).split(",")
    split = [pair.split("=") for pair in pairs]
    options = dict(pair for pair in split if len(pair) == 2)
    method = options.get("sign-method", "")
    if kind not in ("", "simple", "jwt") or len(options) < len(pairs):
        raise _rejected(
            value, 'simple, or jwt with options such as "jwt,sign-method=RS256,pub-key=/a.pub,priv-key=/a.key"'
        )
    if kind != "jwt":
        return
    # etcd-io/etcd server/auth/options.go: EdDSA since 3.6, which is also the first version with feature gates.
    methods = (*_SIGN_METHODS, "EdDSA") if version.feature_gates else _SIGN_METHODS
    if method not in methods:
        raise _rejected(value, f"a sign-method of {', '.join(methods)}{nearest(method, methods)}")
    if not options.get("priv-key") and (method.startswith("HS") or not options.get("pub-key")):
        raise _rejected(value, "a priv-key" if method.startswith("HS") else "a priv-key, or a pub-key to verify only")
    if options.get("ttl") and nanoseconds(options["ttl"]) is None:
        raise _rejected(value, "a ttl that is a duration such as 10m")


def _rejected(value: object, expected: str) -> OptionError:
    return OptionError(f"got {shown(value)}, expected {expected}", value=value)


# Each rejects what etcd rejects when it starts: server/embed/config.go, Validate, and what it calls.
_RULES: dict[str, Callable[[EtcdVersion, Value], None]] = {
    "auth-token": _check_token,
    "cipher-suites": _check_suites,
    "compact-hash-check-time": _check_above_zero,
    "cors": _check_origins,
    "experimental-compact-hash-check-time": _check_above_zero,
    "feature-gates": _check_gates,
    "listen-client-http-urls": _check_listeners,
    "listen-metrics-urls": _check_listeners,
    "log-output": _check_outputs,
    "log-outputs": _check_outputs,
    "max-concurrent-streams": _check_streams,
    "quota-backend-bytes": _check_quota,
}
