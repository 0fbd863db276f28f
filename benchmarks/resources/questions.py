"""The modules of the experiments: importing this registers all of them, in the order in which they are run."""

from benchmarks.resources import idle, index

__all__ = ["MODULES"]

MODULES = (idle, index)
