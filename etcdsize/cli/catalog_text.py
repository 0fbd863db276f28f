"""A catalog as the commands write it to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from etcdsize.catalog.catalog import Catalog

__all__ = ["catalog_text"]


def catalog_text(catalog: Catalog) -> str:
    """Return a catalog as JSON, without the fields that have their default."""
    import json

    fields = {"format_version": catalog.format_version, **catalog.model_dump(mode="json", exclude_defaults=True)}
    return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
