"""How many examples Hypothesis draws for a test: a part of what the profile says."""

from hypothesis import settings

__all__ = ["examples"]


def examples(of_a_hundred, **others):
    """Return settings for so many in a hundred of the profile's examples: of 60 by default, of 2,000 if thorough."""
    return settings(max_examples=max(1, settings().max_examples * of_a_hundred // 100), **others)
