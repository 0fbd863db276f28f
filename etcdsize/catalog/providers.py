"""The providers and the names they go by. This module imports `errors` only."""

from __future__ import annotations

from etcdsize.base.text import nearest, shown
from etcdsize.errors import OptionError

__all__ = ["PROVIDERS", "provider_name"]

PROVIDERS = ("aws", "azure", "gce")
_ALIASES = {"gcp": "gce", "google": "gce"}


def provider_name(name: object) -> str:
    """Return the provider that a name means: aws, azure or gce; gcp and google mean gce, case does not matter.

    Raises
    ------
    OptionError
        For any other name.

    Examples
    --------
    >>> provider_name("AWS"), provider_name("gcp")
    ('aws', 'gce')
    """
    lowered = name.lower() if isinstance(name, str) else ""
    lowered = _ALIASES.get(lowered, lowered)
    if lowered not in PROVIDERS:
        raise OptionError(
            f"provider: got {shown(name)}, expected aws, azure or gce (gcp, google)"
            + nearest(lowered, (*PROVIDERS, *_ALIASES)),
            option="provider",
            value=name,
        )
    return lowered
