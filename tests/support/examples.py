"""How many examples Hypothesis draws for a test of which one example takes long."""

from hypothesis import settings

__all__ = ["examples"]


def examples(of_a_hundred):
    """Return settings for a part of the profile's examples: of 100 in a plain run, of 2,000 in a thorough one."""
    return settings(max_examples=settings().max_examples * of_a_hundred // 100)
