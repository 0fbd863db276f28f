"""The output of `files`: see `etcdsize._output`, which needs no pyarrow."""

from __future__ import annotations

from etcdsize._output import check_output, open_output

__all__ = ["check_output", "open_output"]
