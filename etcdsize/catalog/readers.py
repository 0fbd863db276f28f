"""The readers of providers' own listings, by the name of the program that prints them."""

from collections.abc import Callable

from etcdsize.catalog.aws import read_aws_instance_types
from etcdsize.catalog.gcloud import read_gcloud_machine_types
from etcdsize.catalog.listing import Imported

__all__ = ["LISTING_READERS"]

LISTING_READERS: dict[str, Callable[..., Imported]] = {
    "aws": read_aws_instance_types,
    "gcloud": read_gcloud_machine_types,
}
