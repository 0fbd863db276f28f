"""Read the status of members, as `etcdctl endpoint status --write-out=json` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from etcdsize.base.json_text import documents
from etcdsize.base.text import shown
from etcdsize.errors import ScrapeError, TableError
from etcdsize.observation.scrape import MemberStatus

__all__ = ["read_endpoint_status"]

_COMMAND = "etcdctl endpoint status --write-out=json"
_TOO_LARGE = 2**64
# The most digits that a float needs, and how many zeros at the end of all IDs together are no chance: once in ten
# thousand clusters they are (our choice).
_DIGITS = 17
_CHANCE_DIGITS, _CHANCE_BITS = 4, 14


def read_endpoint_status(source: object) -> tuple[MemberStatus, ...]:
    """Return the status of every member in the output of etcdctl.

    Parameters
    ----------
    source : str, bytes or list
        The output of `etcdctl endpoint status --write-out=json`: text, or parsed JSON. Zeros are left out of it.

    Raises
    ------
    ScrapeError
        If it is not such a list, or has an impossible value; the message names endpoint and field.

    Examples
    --------
    >>> text = '''[{"Endpoint": "http://127.0.0.1:2379", "Status": {"header": {"cluster_id": 1, "member_id": 255},
    ...     "version": "3.4.23", "dbSize": 24576, "leader": 255, "dbSizeInUse": 16384}}]'''
    >>> (status,) = read_endpoint_status(text)
    >>> status.member_id, status.is_leader, status.data_bytes, status.quota_bytes
    ('ff', True, 16384, None)
    """
    try:
        found = documents(source)
    except TableError as error:
        raise ScrapeError(f"endpoint status: {error}; use what {_COMMAND} prints") from None
    if len(found) != 1 or not isinstance(found[0], list) or not found[0]:
        raise ScrapeError(f"endpoint status: got {shown(source)}, expected the list that {_COMMAND} prints")
    statuses = tuple(_Entry(fields, row).status() for row, fields in enumerate(found[0], 1))
    _reject_rounded_ids(statuses)
    return statuses


def _reject_rounded_ids(statuses: Sequence[MemberStatus]) -> None:
    """Reject IDs that went through a program which keeps 53 bits of a number, such as jq 1.6 or a browser.

    They end in zeros then. A single ID may do so by chance, all of them together do not.
    """
    ids = {id_ for one in statuses for id_ in (one.member_id, one.cluster_id, one.leader_id) if id_ is not None}
    numbers = [number for number in (int(id_, 16) for id_ in ids) if number > 2**53]
    # Such a program prints 17 digits and then zeros, or passes on a float, which is a multiple of a power of two.
    digits = [max(len(str(number)) - _DIGITS, 0) for number in numbers]
    rounded = all(number % 10**more == 0 for number, more in zip(numbers, digits, strict=True))
    bits = sum(number.bit_length() - 53 for number in numbers)
    if (rounded and sum(digits) >= _CHANCE_DIGITS) or (
        bits >= _CHANCE_BITS and all(float(number) == number for number in numbers)
    ):
        raise ScrapeError(
            f"endpoint status: got IDs such as {numbers[0]}, expected all of their digits: a program that rounds large "
            f"numbers, such as jq before 1.7, changed them; use what {_COMMAND} prints, unchanged",
            metric="member_id",
        )


class _Entry:
    """One entry of the list; its fields are checked when they are read."""

    def __init__(self, fields: object, row: int) -> None:
        self._where = f"row {row}"
        self.endpoint: str | None = None
        self._status: dict[str, Any] = self._object(fields, "the entry")
        self.endpoint = self._text(self._status, "Endpoint")
        self._where += f" ({self.endpoint})"
        self._status = self._object(self._status.get("Status"), "Status")
        self._header = self._object(self._status.get("header"), "Status.header")

    def status(self) -> MemberStatus:
        errors = self._status.get("errors") or []
        if not isinstance(errors, list) or not all(isinstance(one, str) for one in errors):
            self._reject("errors", f"got {shown(errors)}, expected a list of texts")
        learner = self._status.get("isLearner", False)
        if not isinstance(learner, bool):
            self._reject("isLearner", f"got {shown(learner)}, expected true or false")
        leader = self._whole(self._status, "leader")
        return MemberStatus(
            endpoint=self.endpoint or "",
            member_id=f"{self._id('member_id'):x}",
            cluster_id=f"{self._id('cluster_id'):x}",
            version=self._text(self._status, "version"),
            data_bytes=self._whole(self._status, "dbSizeInUse"),
            total_bytes=self._whole(self._status, "dbSize"),
            quota_bytes=self._whole(self._status, "dbSizeQuota"),
            leader_id=f"{leader:x}" if leader else None,
            is_learner=learner,
            errors=tuple(errors),
        )

    def _object(self, value: object, field: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._reject(field, f"got {shown(value)}, expected an object, as {_COMMAND} prints it")
        return value

    def _text(self, fields: dict[str, Any], field: str) -> str:
        value = fields.get(field)
        if not isinstance(value, str) or not value:
            self._reject(field, f"got {shown(value)}, expected text")
        return value

    def _id(self, field: str) -> int:
        value = self._whole(self._header, field)
        if not value:
            self._reject(field, "missing, although every member reports it")
        return value

    def _whole(self, fields: dict[str, Any], field: str) -> int | None:
        value = fields.get(field)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _TOO_LARGE:
            self._reject(field, f"got {shown(value)}, expected a whole number of 0 or more")
        return value

    def _reject(self, field: str, reason: str) -> NoReturn:
        raise ScrapeError(f"endpoint status: {self._where}, {field}: {reason}", endpoint=self.endpoint, metric=field)
