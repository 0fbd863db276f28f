"""The results of a campaign, as a file that the documentation keeps: docs/reliability.md is written from them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from benchmarks.harness import machine

PACKAGES = ("etcdsize", "numpy", "pyarrow", "pydantic")


def write_results(path: Path, *, campaign: str, seconds: float, **figures: Any) -> None:
    """Write the figures of a campaign, with the date, the machine and the versions."""
    head = {
        "campaign": campaign,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine(PACKAGES),
        "seconds": round(seconds, 1),
    }
    path.write_text(json.dumps({**head, **figures}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
