import random

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.resources import pages, revision_table
from etcdsize.resources.mixing import mixing_bytes
from etcdsize.resources.revision_bytes import element_bytes, revision_bytes

Kind = tuple[float, int, int]  # its weight, the bytes of a key and of a value

KINDS = st.lists(
    st.tuples(st.floats(0.01, 1000), st.integers(10, 200), st.one_of(st.integers(0, 5000), st.integers(0, 100_000))),
    min_size=1,
    max_size=5,
)


def whole(kinds: list[Kind], puts: float = 10) -> float:
    """Return what kinds take together."""
    own = [(weight, element_bytes(key, value), revision_bytes(key, value, puts)) for weight, key, value in kinds]
    return sum(weight * each for weight, _, each in own) + mixing_bytes(own)


def simulated(kinds: list[Kind], puts: float) -> float:
    """Return the bytes a revision of kinds that follow each other at random."""
    rng = random.Random(4)
    sizes = [pages.element_bytes(key, value) for _, key, value in kinds]
    drawn = iter(rng.choices(sizes, [weight for weight, _, _ in kinds], k=20_000))
    return pages.appended_bytes_of(drawn, revision_table.irregular(puts, rng), 15_000)


@pytest.mark.parametrize("puts", [3, 100])
@pytest.mark.parametrize(
    "kinds",
    [
        [(85, 50, 450), (5, 50, 5500), (5, 50, 5000), (5, 50, 900)],
        [(30, 50, 450), (30, 50, 10_300), (10, 50, 5000), (30, 50, 900)],
        [(90, 50, 450), (10, 50, 10_300)],
        [(99, 50, 450), (1, 50, 10_300)],
        [(50, 50, 100), (50, 50, 10_000)],
        [(80, 50, 1000), (20, 50, 10_000)],
        [(80, 50, 16), (20, 50, 100_000)],
        [(40, 50, 200), (40, 50, 1000), (20, 50, 8000)],
        [(30, 50, 5000), (30, 50, 10_300), (30, 50, 16_000)],
    ],
)
def test_agrees_with_the_simulation(kinds: list[Kind], puts: float) -> None:
    """Without it, the sum of kinds is up to a quarter low."""
    each = whole(kinds, puts) / sum(weight for weight, _, _ in kinds)
    assert each == pytest.approx(simulated(kinds, puts), rel=0.08)


@examples(40)
@given(KINDS, st.integers(0, 4), st.floats(1, 100), st.integers(0, 5000))
def test_more_of_a_kind_never_takes_less(kinds: list[Kind], which: int, times: float, more: int) -> None:
    weight, key, value = kinds[which % len(kinds)]
    for larger in ((weight * times, key, value), (weight, key, value + more), (weight, key + more, value)):
        others = [kind for number, kind in enumerate(kinds) if number != which % len(kinds)]
        assert whole([*others, larger]) >= whole([*others, kinds[which % len(kinds)]]) * (1 - 1e-9)


@given(KINDS, st.tuples(st.floats(0.01, 1000), st.integers(10, 200), st.integers(0, 20_000)))
def test_a_kind_more_never_takes_less(kinds: list[Kind], further: Kind) -> None:
    assert whole([*kinds, further]) >= whole(kinds) * (1 - 1e-9)


@given(KINDS)
def test_a_kind_in_two_parts_takes_the_same(kinds: list[Kind]) -> None:
    parts = [(weight / 2, key, value) for weight, key, value in kinds for _ in range(2)]
    assert whole(parts) == pytest.approx(whole(kinds), rel=0.15)


def test_one_kind_mixes_with_nothing() -> None:
    assert mixing_bytes([(100, 5063, 6163)]) == mixing_bytes([]) == 0
