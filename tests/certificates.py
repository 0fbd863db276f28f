"""A test CA, and the certificates of a cluster on this machine, laid out as kubeadm does."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from etcdsize import Tls

# What the server and the peers show, they also show to each other as clients; so does etcd's own gateway.
_PAIRS = {"server": True, "peer": True, "healthcheck-client": False}


def certificates(folder: Path) -> Tls:
    """Write a CA and what it signed for 127.0.0.1, ::1 and localhost; return where all of it lies."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("etcdsize test CA")
    root = _builder(issuer, issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    usage = {name: name in ("key_cert_sign", "crl_sign") for name in _USAGES}
    root = root.add_extension(x509.KeyUsage(**usage), True)
    _write(folder / "ca.crt", root.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    for name, is_server in _PAIRS.items():
        key = ec.generate_private_key(ec.SECP256R1())
        both = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if is_server else [])]
        leaf = _builder(_name(name), issuer, key).add_extension(x509.ExtendedKeyUsage(both), False)
        if is_server:
            hosts = [x509.IPAddress(ipaddress.ip_address(host)) for host in ("127.0.0.1", "::1")]
            leaf = leaf.add_extension(x509.SubjectAlternativeName([*hosts, x509.DNSName("localhost")]), False)
        signed = leaf.sign(authority, hashes.SHA256())
        _write(folder / f"{name}.crt", signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        _write(folder / f"{name}.key", text)
    return Tls.from_dir(str(folder))


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
