"""How many examples Hypothesis draws for a test: a part of what the profile says."""

from hypothesis import settings

__all__ = ["examples"]


def examples(of_a_hundred, **others):
    """Return settings for a part of the profile's examples: of 100 in a plain run, of 2,000 in a thorough one."""
    return settings(max_examples=max(1, settings().max_examples * of_a_hundred // 100), **others)
