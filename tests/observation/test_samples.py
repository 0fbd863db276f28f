"""The sample on a line is the one that prometheus-client reads there, whether its labels came before or not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paths import DATA, DOCS
from prometheus_client.parser import text_string_to_metric_families

from etcdsize import ScrapeError
from etcdsize.observation.samples import Samples

PAGES = (*sorted(DOCS.glob("examples/observed/*.txt")), DOCS / "examples" / "apiserver-after.txt", *DATA.glob("m*.txt"))


def read(*lines: str) -> list[tuple[str, dict[str, str], float]]:
    samples = Samples(
        list(enumerate(lines, 1)), {}, {line.partition("{")[0].split()[0] for line in lines}, most_lines=10**6
    )
    return [(one.name, dict(one.labels), one.value) for one in samples.samples()]


def read_by_prometheus(line: str) -> list[tuple[str, dict[str, str], float]]:
    found = [one for family in text_string_to_metric_families(f"{line}\n") for one in family.samples]
    return [(one.name, one.labels, one.value) for one in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_of_real_pages(page):
    lines = [line for line in page.read_text().splitlines() if line and not line.startswith("#")]
    assert repr(read(*lines, *lines)) == repr([one for line in lines for one in read_by_prometheus(line)] * 2)


labels = st.lists(
    st.tuples(st.sampled_from(["a", "b", "le", "a", "1", "é", ""]), st.text('x"\\{}=,# n\t', max_size=6)), max_size=3
).map(lambda pairs: ",".join(f'{name}="{text}"' for name, text in pairs))
values = st.sampled_from(
    [
        *(
            "0",
            "1",
            "007",
            "12.50",
            "1e3",
            "1.5e+09",
            "1E3",
            "-1",
            "+5",
            "NaN",
            "+Inf",
            "1_0",
            "0x1",
            ".5",
            "5.",
            "1e400",
        ),
        *("\N{ARABIC-INDIC DIGIT THREE}", "5 ", "5\t6", "5 1", "5 1395066363000", "123456789", "123456789 }", "}", ""),
        *('5 # {a="b"} 7', "5 } 7", "1" * 30),
    ]
)


class TestAnyLine:
    """What prometheus-client reads is read, and what it rejects is rejected, for any number after any name."""

    @given(
        st.sampled_from(["", "{}"]) | labels.map(lambda text: f"{{{text}}}"),
        st.sampled_from([" ", "", "\t", "  "]),
        values,
        values,
    )
    @example('{a="b"}', " ", "123456789", "1")
    @example('{a="b"} 123456789', " ", "}", "1")
    @example('{a="b"} 5', " ", "7", "8")
    @example('{le="1"} 8 # {id="x"}', " ", "0.6", "0.7")
    def test_is_read_alike(self, named, blank, first, second):
        for value in (first, second, first):
            line = f"m{named}{blank}{value}"
            try:
                expected = repr(read_by_prometheus(line))
            except (ValueError, IndexError):
                expected = None
            try:
                found = repr(read(line))
            except ScrapeError:
                found = None
            assert found == expected
