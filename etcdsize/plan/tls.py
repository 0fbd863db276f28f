"""The certificates of a cluster: the files that secure its client and its peer connections.

The paths are those of other machines, so no file is opened here.
"""

import os.path
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from etcdsize.base.model import Model
from etcdsize.base.text import shown
from etcdsize.errors import EtcdSizeError, PlanError

__all__ = ["PlanModel", "Tls", "TlsFiles", "check_path", "check_text"]


class PlanModel(Model):
    """The base of a plan and its parts. Invalid values raise a `PlanError`."""

    error_type: ClassVar[type[EtcdSizeError]] = PlanError


class TlsFiles(PlanModel):
    """The files that secure one side of a member: its client connections, or its peer connections."""

    cert_file: Annotated[str, Field(description="The member's certificate.")]
    key_file: Annotated[str, Field(description="Its key.")]
    trusted_ca_file: Annotated[
        str | None, Field(description="The certificate authority to trust. None: the system's authorities.")
    ] = None
    client_cert_auth: Annotated[bool, Field(description="Whether everyone who connects needs a certificate.")] = True

    @model_validator(mode="after")
    def _check(self) -> "TlsFiles":
        for field in ("cert_file", "key_file", "trusted_ca_file"):
            path = getattr(self, field)
            if path is not None:
                check_path(path, field)
        if self.client_cert_auth and self.trusted_ca_file is None:
            raise PlanError(
                "trusted_ca_file: missing, but client_cert_auth is on; name the authority that signs client "
                "certificates, or set client_cert_auth=False",
                field="trusted_ca_file",
            )
        return self


class Tls(PlanModel):
    """The certificates of a cluster. A side without certificates uses plain http."""

    client: Annotated[TlsFiles | None, Field(description="For client connections. None: http.")] = None
    peer: Annotated[TlsFiles | None, Field(description="For peer connections. None: http.")] = None
    client_cert_file: Annotated[str | None, Field(description="The certificate of clients such as etcdctl.")] = None
    client_key_file: Annotated[str | None, Field(description="Its key.")] = None

    @model_validator(mode="after")
    def _check(self) -> "Tls":
        if self.client is None and self.peer is None:
            raise PlanError("Tls: got neither client nor peer, expected one or both; leave tls out for plain http")
        for field in ("client_cert_file", "client_key_file"):
            path = getattr(self, field)
            if path is not None:
                check_path(path, field)
        if (self.client_cert_file is None) != (self.client_key_file is None):
            raise PlanError("client_cert_file, client_key_file: got one of the two, expected both or neither")
        if self.client is None and self.client_cert_file is not None:
            raise PlanError("client_cert_file: cannot be used without client; set client too", field="client_cert_file")
        return self

    @classmethod
    def from_dir(cls, folder: str) -> "Tls":
        """Return the certificates of a folder with the layout of kubeadm's `/etc/kubernetes/pki/etcd`.

        Parameters
        ----------
        folder : str
            The folder on every member, with `ca.crt`, `server.crt`, `server.key`, `peer.crt`, `peer.key`, and for
            etcdctl `healthcheck-client.crt` and `healthcheck-client.key`. No file is opened.

        References
        ----------
        kubernetes/kubernetes cmd/kubeadm/app/constants/constants.go

        Examples
        --------
        >>> Tls.from_dir("/etc/etcd/pki").peer.key_file
        '/etc/etcd/pki/peer.key'
        """
        check_path(folder, "folder")

        def at(name: str) -> str:
            return os.path.join(folder, name)  # noqa: PTH118 - a path of another machine

        authority = at("ca.crt")
        return cls(
            client=TlsFiles(cert_file=at("server.crt"), key_file=at("server.key"), trusted_ca_file=authority),
            peer=TlsFiles(cert_file=at("peer.crt"), key_file=at("peer.key"), trusted_ca_file=authority),
            client_cert_file=at("healthcheck-client.crt"),
            client_key_file=at("healthcheck-client.key"),
        )


def check_text(text: str, field: str, member: str | None = None) -> None:
    if not isinstance(text, str) or not text or text != text.strip() or not text.isprintable():
        where = "" if member is None else f"member {shown(member)}: "
        raise PlanError(
            f"{where}{field}: got {shown(text)}, expected printable text without spaces at either end",
            member=member,
            field=field,
            value=text,
        )


def check_path(path: str, field: str) -> None:
    check_text(path, field)
    if ".." in path.split("/"):
        raise PlanError(f"{field}: got {shown(path)}, expected a path without ..", field=field, value=path)
    if path.startswith("~"):
        raise PlanError(
            f"{field}: got {shown(path)}, expected a full path: only shells expand ~, and etcd uses it as a name",
            field=field,
            value=path,
        )
