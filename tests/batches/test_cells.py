"""Cells as people write them: padded, with words for a missing value, with decimal commas and thousands marks."""

from __future__ import annotations

import pickle
import re
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError, UnitError
from etcdsize.batches.cells import MISSING_WORDS, PADDING, CellRules
from etcdsize.batches.columns import Source
from etcdsize.batches.loads import numbers
from etcdsize.batches.options import BatchOptions
from etcdsize.units import DIMENSIONS

MARKS = {",": ",", ".": ".", " ": " \u00a0\u202f", "'": "'’", "_": "_"}
WAYS = [(d, t) for d in ".," for t in (None, *MARKS) if d != t]

PIECE = st.sampled_from([*"0123456789.,' _\u00a0\u202f’-+eE", "000", "123", "1", "999", "MB", " GB", "k", "/s"])
TEXT = st.lists(PIECE, max_size=9).map("".join) | st.integers(0, 10**9).map(lambda whole: f"{whole:,}")


def slow_number(text, decimal, thousands):
    """Return the number in a text without a unit as its rule says, cell by cell; None if it is not one."""
    whole, _, fraction = text.partition(decimal)
    if any(character not in "0123456789" for character in fraction) or (not whole and not fraction):
        return None
    if thousands is not None:
        for other in MARKS[thousands]:
            whole = whole.replace(other, "|")
    first, *groups = whole.split("|")
    if groups and (not first or first[0] == "0" or len(first) > 3 or any(len(group) != 3 for group in groups)):
        return None
    digits = first + "".join(groups)
    if any(character not in "0123456789" for character in digits):
        return None
    return Decimal(f"{digits or '0'}.{fraction or '0'}")


class TestNumbers:
    """A number is read with the marks that the options name, and with no others."""

    @pytest.mark.parametrize(("decimal", "thousands"), WAYS)
    @given(text=TEXT)
    def test_a_slow_twin_reads_the_same(self, decimal, thousands, text):
        rules = CellRules.of(decimal=decimal, thousands=thousands)
        expected = None if re.search("[eE]", text) else slow_number(text, decimal, thousands)
        try:
            found = rules.parse("clients", text, suggest=True)
        except UnitError:
            found = None
        if re.search("[eE]", text) is None:
            assert found == (
                None if expected is None else int(expected) if expected == int(expected) else float(expected)
            )
        if not rules.are_plain:
            column = rules.plain_numbers(pa.array([text, "1"]))
            assert (column is not None) == (expected is not None)
            assert column is None or [float(cell) for cell in column.to_pylist()] == [float(expected), 1]

    @pytest.mark.parametrize(
        ("options", "cell", "value"),
        [
            ({"decimal": ","}, "1,5", 1.5),
            ({"decimal": ","}, "0,08 GB", 80_000_000),
            ({"decimal": ","}, "1,5e3", 1500),
            ({"decimal": ",", "thousands": "."}, "1.234,5", 1234.5),
            ({"decimal": ",", "thousands": "."}, "1.234.567", 1_234_567),
            ({"thousands": ","}, "1,234.5", 1234.5),
            ({"thousands": ","}, "1234", 1234),
            ({"thousands": "space"}, "1 234 567", 1_234_567),
            ({"thousands": " "}, "1\u00a0234\u202f567", 1_234_567),
            ({"thousands": "\u00a0"}, "1 234 MB", 1_234_000_000),
            ({"thousands": "'"}, "1'234’567", 1_234_567),
            ({"thousands": "_"}, "1_000MiB", 1000 * 1024**2),
        ],
    )
    def test_what_is_read(self, options, cell, value):
        assert CellRules.of(**options).parse("data_bytes", cell, suggest=False) == value

    @pytest.mark.parametrize(
        ("options", "cell"),
        [
            ({"decimal": ",", "thousands": "."}, "1.2"),
            ({"decimal": ",", "thousands": "."}, "1.2345"),
            ({"decimal": ",", "thousands": "."}, "1234.567"),
            ({"decimal": ",", "thousands": "."}, "1,234.5"),
            ({"decimal": ",", "thousands": "."}, "0.123"),
            ({"decimal": ",", "thousands": "."}, ".123"),
            ({"decimal": ",", "thousands": "."}, "1..234"),
            ({"decimal": ","}, "1.5"),
            ({"decimal": ","}, "1,2,3"),
            ({"thousands": ","}, "1,5"),
            ({"thousands": ","}, "1,234,"),
            ({"thousands": " "}, "1  234"),
            ({"thousands": " "}, "1 23"),
            ({"thousands": "_"}, "1 234"),
            ({"thousands": ","}, "1,٢٣٤"),
        ],
    )
    def test_what_is_ambiguous_or_written_another_way_is_refused(self, options, cell):
        with pytest.raises(UnitError, match=re.escape(cell)):
            CellRules.of(**options).parse("data_bytes", cell, suggest=True)


class TestRefusals:
    """The refusal of a number names the options that would read it, and what they would read."""

    @pytest.mark.parametrize(
        ("cell", "hint"),
        [
            ("1,5", '; --decimal "," reads it as 1.5'),
            ("1.234,5", '; --decimal "," --thousands "." reads it as 1234.5'),
            ("1.234.567", '; --decimal "," --thousands "." reads it as 1234567'),
            ("1,234.5", '; --thousands "," reads it as 1234.5'),
            ("1,234,567", '; --thousands "," reads it as 1234567'),
            ("1,234", '; --decimal "," reads it as 1.234, --thousands "," reads it as 1234'),
            ("1 234", '; --thousands " " reads it as 1234'),
            ("1\u00a0234,5", '; --decimal "," --thousands " " reads it as 1234.5'),
            ("1'234", '; --thousands "\'" reads it as 1234'),
            ("1_234", '; --thousands "_" reads it as 1234'),
            ("1,5 GB", ""),
            ("1,2,3", ""),
            ("10.0.0.1", ""),
            ("many", ""),
        ],
    )
    def test_hint(self, cell, hint):
        with pytest.raises(UnitError) as caught:
            CellRules().parse("clients", cell, suggest=True)
        assert str(caught.value).endswith(f', expected a count such as "300"{hint}')

    @pytest.mark.parametrize("dimension", DIMENSIONS)
    @given(text=TEXT)
    def test_every_option_that_is_named_reads_the_cell(self, dimension, text):
        try:
            CellRules().parse(dimension, text, suggest=True)
        except UnitError as error:
            named = re.findall(r'(--[^"]+".".*?) reads it as (\S+(?: [A-Za-z/]+)?)', str(error))
            for options, value in named:
                given_options = dict(re.findall(r'--([a-z]+) "(.)"', options))
                assert CellRules.of(**given_options).parse(dimension, text, suggest=False) == CellRules().parse(
                    dimension, value.rstrip(","), suggest=False
                )

    def test_with_the_options_the_marks_are_named(self):
        with pytest.raises(UnitError) as caught:
            CellRules.of(decimal=",", thousands=".").parse("clients", "1.2", suggest=True)
        assert str(caught.value) == (
            'got "1.2", expected a count such as "300", with "," as the decimal mark and "." between groups of three '
            "digits"
        )

    def test_no_option_reads_a_unit_that_contradicts(self):
        with pytest.raises(UnitError) as caught:
            CellRules().parse("clients", "1,5GB", suggest=True, accepted="a number of MB")
        assert str(caught.value) == 'got "1,5GB", expected a number of MB'


class TestMissing:
    @pytest.mark.parametrize("pad", ["", " ", "\t ", "\u00a0"])
    @pytest.mark.parametrize(
        "word", ["", "n/a", "N/A", "NA", "na", "-", "null", "NULL", "none", "None", "unknown", "Unknown", "?", "#N/A"]
    )
    def test_words(self, word, pad):
        assert CellRules.of().clean(pa.array([f"{pad}{word}{pad}", None, "5"])).to_pylist() == [None, None, "5"]

    @pytest.mark.parametrize("text", ["--", "nan", "0", "?!", "n / a", "nil", "unknown machine", "\u200b"])
    def test_nothing_else(self, text):
        assert CellRules.of().clean(pa.array([text])).to_pylist() == [text]

    def test_more_words(self):
        rules = CellRules.of(na=["Keine Angabe ", "-1"])
        texts = pa.array(["keine angabe", " KEINE ANGABE", "-1", "-1.0", "n/a", "1"], pa.large_string())
        assert rules.clean(texts).to_pylist() == [None, None, None, "-1.0", None, "1"]
        assert CellRules.of(na="x").clean(pa.array(["X"])).to_pylist() == [None]

    @given(st.lists(st.text(st.sampled_from("aN/-?1 \t\u00a0\n\u2003"), max_size=6)))
    def test_padding_is_what_a_slow_twin_strips(self, texts):
        stripped = [text.strip(PADDING) for text in texts]
        expected = [None if text == "" or text.lower() in MISSING_WORDS else text for text in stripped]
        assert CellRules.of().clean(pa.array(texts, pa.string())).to_pylist() == expected


def load(column, dimension="clients", factor=1, unit=None, **options):
    found = numbers(column, dimension, Source(0, "x", factor, unit), CellRules.of(**options))
    missing = [] if found.missing is None else np.flatnonzero(found.missing).tolist()
    return found.values.tolist(), missing, found.problems


class TestColumns:
    """A column of text is read cell by cell, whatever its type and whatever else it holds."""

    @pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
    def test_every_type_of_text(self, kind):
        column = pa.array([" 5 ", "n/a", None, "1.234,5", "7", "-"]).cast(kind)
        assert load(column, decimal=",", thousands=".") == ([5, 0, 0, 1234.5, 7, 0], [1, 2, 5], {})

    @given(
        cells=st.lists(st.integers(0, 10**7) | st.floats(0, 1e6).map(lambda x: round(x, 3)), max_size=30),
        way=st.sampled_from(WAYS),
        unit=st.sampled_from(["", "", "MB", " GiB"]),
        missing=st.sampled_from([[], ["n/a"], [" "]]),
    )
    def test_a_column_is_read_as_its_numbers_are(self, cells, way, unit, missing):
        decimal, thousands = way

        def written(cell):
            swapped = {",": thousands or "", ".": decimal}
            return "".join(swapped.get(one, one) for one in f"{cell:,}") + unit

        expected, *_ = load(pa.array([f"{cell}{unit}" for cell in cells] + ["0"] * len(missing)), "data_bytes")
        found, nothing, problems = load(
            pa.array([f" {written(cell)}\t" for cell in cells] + missing, pa.string()),
            "data_bytes",
            decimal=decimal,
            thousands=thousands,
        )
        assert (found, nothing, problems) == (expected, list(range(len(cells), len(found))), {})

    def test_whole_numbers_stay_exact(self):
        whole = 2**53 + 1
        assert load(pa.array([f"{whole:,}"]), thousands=",")[0] == [whole]

    @pytest.mark.parametrize("column", [pa.array([-1, 5]), pa.array([-1.0, 5.0]), pa.array(["-1", "5"])])
    def test_a_number_can_mean_missing(self, column):
        assert load(column, na=["-1"]) == ([0, 5], [0], {})

    def test_text_of_digits_can_mean_missing(self):
        assert load(pa.array(["0", "00", "5"]), na=["0"])[1:] == ([0], {})

    def test_numbers_are_not_text(self):
        """Decimal and thousands marks are marks of text."""
        assert load(pa.array([1.234]), decimal=",", thousands=".")[0] == [1.234]

    def test_a_problem_names_the_option_in_a_column_with_a_unit(self):
        assert load(pa.array(["0,08"]), "data_bytes", factor=1000**3, unit="GB")[2] == {
            0: 'x: got "0,08", expected a number of GB; --decimal "," reads it as 0.08'
        }


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"decimal": ";"}, 'decimal: got ";", expected "." or ","'),
            ({"decimal": None}, 'decimal: got None, expected "." or ","'),
            (
                {"thousands": "-"},
                'thousands: got "-", expected a comma, a dot, a space, an apostrophe or an underscore',
            ),
            (
                {"thousands": "."},
                'thousands: got ".", which is the decimal mark; give the decimal mark "," as well, or another mark for '
                "thousands",
            ),
            (
                {"thousands": ",", "decimal": ","},
                'thousands: got ",", which is the decimal mark; give the decimal mark "." as well, or another mark for '
                "thousands",
            ),
            ({"na": ["\udcff"]}, 'na: got "\\udcff", expected text that UTF-8 can hold'),
            ({"na": [5]}, "na: got 5 of type int, expected a name, or several"),
        ],
    )
    def test_what_cannot_be_used_is_rejected(self, options, message):
        with pytest.raises(OptionError) as caught:
            BatchOptions.of(**options)
        assert str(caught.value) == message

    def test_workers_get_them(self):
        rules = BatchOptions.of(provider="aws", na=["x"], decimal=",").cells
        assert rules.parse("clients", "1,5", suggest=False) == 1.5
        assert pickle.loads(pickle.dumps(rules)) == rules
