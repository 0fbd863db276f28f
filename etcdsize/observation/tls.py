"""The certificate files of a connection to a member: a CA, and a client certificate with its key."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field

from etcdsize.base.model import Model
from etcdsize.errors import OptionError

__all__ = ["ClientTls"]

T = TypeVar("T")


class ClientTls(Model):
    """The files of a TLS connection, as etcdctl takes them.

    Examples
    --------
    >>> ClientTls(cacert="ca.crt", cert="client.crt", key="client.key").cacert
    'ca.crt'
    """

    cacert: Annotated[str | None, Field(description="The CA that signed the members' certificates. PEM.")] = None
    cert: Annotated[str | None, Field(description="The client certificate, if members require one. PEM.")] = None
    key: Annotated[str | None, Field(description="The key of the client certificate. PEM, not encrypted.")] = None

    def context(self) -> ssl.SSLContext:
        """Return the TLS context that verifies members with these files.

        Raises
        ------
        OptionError
            If a file cannot be read, or if only one of certificate and key is given.
        """
        for one, other in (("cert", "key"), ("key", "cert")):
            if getattr(self, one) is not None and getattr(self, other) is None:
                raise OptionError(f"{one}: cannot be used without {other}; give both", option=one)
        context = _load("cacert", self.cacert, lambda: ssl.create_default_context(cafile=self.cacert))
        # Since 3.13 Python rejects certificates without an authority key identifier; etcdctl accepts them.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        cert = self.cert
        if cert is not None:
            _load("cert", cert, lambda: context.load_cert_chain(cert, self.key, _no_password))
        return context


def _load(option: str, file: str | None, load: Callable[[], T]) -> T:
    try:
        return load()
    except OptionError:
        raise
    except ssl.SSLError as error:
        reason = (error.reason or "not PEM").replace("_", " ").lower()
        raise OptionError(
            f"{option}: {file}: expected a certificate in PEM, and the key that belongs to it: {reason}",
            option=option,
            value=file,
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OptionError(f"{option}: {file}: cannot be read: {reason}", option=option, value=file) from error
    except ValueError as error:
        raise OptionError(f"{option}: {file}: cannot be read: {error}", option=option, value=file) from error


def _no_password() -> str:
    raise OptionError("key: is encrypted, expected a key without a password", option="key")
