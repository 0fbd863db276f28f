"""Columns of a report line up, whatever script their cells are written in."""

from etcdsize.reports.layout import aligned, money_columns


class TestAligned:
    def test_wide_letters_take_two_columns(self):
        assert aligned([("provider", "n"), ("阿里云", "1"), ("é", "22")], right=(1,)) == [
            "provider   n",
            "阿里云     1",
            "é         22",
        ]

    def test_marks_take_none(self):
        assert aligned([("e\u0301x", "1"), ("abc", "2")]) == ["e\u0301x   1", "abc  2"]


class TestMoneyColumns:
    def test_one_currency_stands_in_the_head(self):
        assert money_columns([(1.5, "USD"), (None, None)]) == ("$", ["1.50", "unknown"])
        assert money_columns([(1234, "CNY"), (None, "CNY")]) == ("CNY", ["1,234.00", "unknown"])
        assert money_columns([(None, "EUR"), (None, None)]) == ("EUR", ["unknown", "unknown"])
        assert money_columns([(None, None)]) == ("cost", ["unknown"])

    def test_several_stand_in_the_cells(self):
        assert money_columns([(1, "USD"), (2, "EUR"), (None, "EUR")]) == ("cost", ["$1.00", "EUR 2.00", "unknown"])
