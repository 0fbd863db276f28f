"""A test CA and the certificates that it signs, as files."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from etcdsize import Tls

__all__ = ["Certificates", "certificates"]


class Certificates:
    """A CA and the certificates that it signs, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA of the tests")])
        self.ca = self._write("ca", self._signed("CA of the tests", self._key, is_ca=True), self._key)[0]

    def issue(self, name: str, *, self_signed: bool = False, hosts: Sequence[str] = ("127.0.0.1",)) -> tuple[str, str]:
        """Write a certificate and its key; return the paths of both files."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(name, self._signed(name, key, hosts=hosts, self_signed=self_signed), key)

    def lock(self, name: str) -> None:
        """Write a key that is protected by a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        locked = serialization.BestAvailableEncryption(b"secret")
        text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        (self.folder / f"{name}.key").write_bytes(text)

    def _signed(self, name, key, *, is_ca=False, hosts=(), self_signed=False) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        own = is_ca or self_signed
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if not is_ca:
            names = [x509.DNSName(host) if host.isalpha() else x509.IPAddress(ip_address(host)) for host in hosts]
            usages = [x509.ExtendedKeyUsageOID.SERVER_AUTH, x509.ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return builder.sign(key if own else self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key) -> tuple[str, str]:
        files = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(files[0]), str(files[1])


def certificates(folder: Path) -> Tls:
    """Write a CA and certificates for this machine in the layout of kubeadm; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Certificates(folder)
    for name in ("server", "peer", "healthcheck-client"):
        authority.issue(name, hosts=("127.0.0.1", "::1", "localhost"))
    return Tls.from_dir(str(folder))
