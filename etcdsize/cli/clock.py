"""The command line's clock, and what it says of tables that have aged.

Nothing else in the package asks for today's date: beyond it, only `observation` reads a clock, to time its scrapes. So
the library answers the same input alike for ever. The environment variable SOURCE_DATE_EPOCH overrides the clock
(https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from etcdsize.base.text import in_words, shown
from etcdsize.errors import OptionError

if TYPE_CHECKING:
    import datetime

    from etcdsize.base.model import Model

__all__ = ["VARIABLE", "dates_of_prices", "now", "report_old_prices", "report_old_versions", "today"]

VARIABLE = "SOURCE_DATE_EPOCH"
# A supported version of etcd gets a patch about once a month, so four or five are missing by then (our choice).
VERSIONS_DAYS = 120
# Providers change the prices of a generation rarely, but add generations every year (our choice).
PRICES_DAYS = 365
# The end of the year 9999, the last that a date can have.
_LAST_SECOND = 253_402_300_799


def today() -> datetime.date:
    """Return today's date in UTC, by the environment variable if it is set."""
    return now().date()


def now() -> datetime.datetime:
    """Return the time in UTC, by the environment variable if it is set."""
    import datetime

    text = os.environ.get(VARIABLE)
    if text is None:
        return datetime.datetime.now(datetime.UTC)
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) > _LAST_SECOND:
        raise OptionError(
            f'{VARIABLE}: got {shown(text)}, expected whole seconds since 1970, such as "1795737600"; unset the '
            "variable to use the clock",
            option=VARIABLE,
            value=text,
        )
    return datetime.datetime.fromtimestamp(int(text), datetime.UTC)


def report_old_versions(*used: str) -> None:
    """Say on standard error that the table of etcd's versions is old, or that it says support of one used has ended."""
    from etcdsize.cli.streams import report
    from etcdsize.etcd.versions import load_versions

    versions, day = load_versions().versions, today().isoformat()
    date, days = _oldest(version.date for version in versions)
    if days > VERSIONS_DAYS:
        report(
            f"etcdsize: the table of etcd's versions is from {date}, {days} days ago: later versions, patches and "
            "flaws are missing; use a newer etcdsize"
        )
    for version in versions:
        # Those that were out of support when the table was made have a notice.
        ended = version.status == "supported" and not version.is_supported_on(day)
        if ended and any(f"{text.removeprefix('v')}.".startswith(f"{version.name}.") for text in used):
            report(f"etcdsize: support for etcd {version.name} ended in {version.until}: upgrade")


def report_old_prices(prices: Iterable[tuple[str, str]]) -> None:
    """Say on standard error that prices are old, if any is, and how to get new ones. Each has a provider and a date."""
    from etcdsize.cli.streams import report

    listed = set(prices)
    date, days = _oldest(date for _, date in listed)
    if days > PRICES_DAYS:
        from etcdsize.catalog.registry import price_origin

        # Rows of an audit have no provider; the machines of the same answer have.
        old = {provider for provider, date in listed if provider and _oldest([date])[1] > PRICES_DAYS}
        commands = in_words(sorted({f"--from {price_origin(provider)}" for provider in old or ("",)}), "or")
        report(
            f"etcdsize: the oldest of these prices is from {date}, {days} days ago: before you rely on them, make a "
            f"catalog with today's: etcdsize catalog prices {commands}; docs/machines.md says how to get the list"
        )


def _oldest(dates: Iterable[str]) -> tuple[str, int]:
    """Return the oldest date, and its age in days; no date has no age."""
    import datetime

    oldest = min(dates, default=None)
    if oldest is None:
        return "", 0
    return oldest, (today() - datetime.date.fromisoformat(oldest)).days


def dates_of_prices(answer: Model, provider: str = "") -> Iterator[tuple[str, str]]:
    """Yield provider and date of every price and every cost in an answer, or in one of its parts."""
    from etcdsize.base.model import Model

    fields = dict(iter(answer))
    machine = fields.get("machine")
    named = fields.get("provider", getattr(machine, "provider", None) if isinstance(machine, Model) else None)
    of = named if isinstance(named, str) else provider
    for name, value in fields.items():
        # Money has its currency beside it; other figures, such as the time of a write, may have a date too.
        if name == "date" and value and fields.get("currency"):
            yield of, value
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for part in parts:
            if isinstance(part, Model):
                yield from dates_of_prices(part, of)
