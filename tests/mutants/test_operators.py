"""Each operator changes what it is for, once at each place, and nothing that says nothing about behaviour."""

from __future__ import annotations

import ast

import pytest

from .operators import mutants_of, sample


def changes(source: str) -> list[tuple[str, str]]:
    """Return each change's operator and the whole changed source."""
    found = []
    for mutant in mutants_of("file.py", source):
        old = mutant.apply()
        found.append((mutant.operator, ast.unparse(mutant.tree)))
        mutant.undo(old)
        assert ast.unparse(mutant.tree) == source
    return found


class TestOperators:
    """Every operator is applied at every place that it fits, one place in each mutant."""

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("a < b", [("boundary", "a <= b"), ("comparison", "a >= b")]),
            ("a >= b", [("boundary", "a > b"), ("comparison", "a < b")]),
            ("a == b", [("comparison", "a != b")]),
            ("a is not b", [("comparison", "a is b")]),
            ("a in b", [("comparison", "a not in b")]),
            ("a == b != c", [("comparison", "a != b != c"), ("comparison", "a == b == c")]),
            ("a + b", [("arithmetic", "a - b")]),
            ("a // b", [("arithmetic", "a * b")]),
            ("a and b", [("logic", "a or b")]),
            ("not a", [("logic", "a")]),
            ("-a", [("sign", "a")]),
            ("a = True", [("boolean", "a = False")]),
            ("a = 7", [("number", "a = 8")]),
            ("a = 0.5", [("number", "a = 1.5")]),
            ("a = 'b'", [("text", "a = 'XXb'")]),
            ("a = f'b{c}'", [("text", "a = f'XXb{c}'")]),
            ("min(a)", [("call", "max(a)")]),
            ("math.ceil(a)", [("call", "math.floor(a)")]),
            ("a if b else c", [("condition", "a if not b else c")]),
            ("[a for a in b if c]", [("condition", "[a for a in b if not c]")]),
            ("if a:\n    b", [("condition", "if not a:\n    b")]),
            ("while a:\n    break", [("condition", "while not a:\n    break"), ("jump", "while a:\n    continue")]),
        ],
    )
    def test_at_the_top_of_a_file(self, source, expected):
        assert changes(source) == expected

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("return a", [("return", "return None")]),
            ("return None", []),
            ("a()", [("statement", "pass")]),
            ("a += b", [("statement", "pass")]),
            ("a = b", [("statement", "pass")]),
            ("b = a", []),  # without it there would be no b
            ("a.b = c", [("statement", "pass")]),
            ("raise a('text')", [("statement", "pass")]),
            ("b(a, c=d)", [("statement", "pass"), ("argument", "b(a)")]),
        ],
    )
    def test_in_a_function(self, line, expected):
        source = "def f(a):\n    {}"
        assert changes(source.format(line)) == [(operator, source.format(changed)) for operator, changed in expected]

    @pytest.mark.parametrize(
        "source",
        [
            "'documentation'",
            "a: Literal['b', 'c']",
            "def f(a: 'text') -> 'text':\n    'documentation'",
            "@cache(maxsize=3)\ndef f():\n    pass",
            "assert a < b",
            "import a",
            "__all__ = ['a']",
        ],
    )
    def test_what_says_nothing_about_behaviour_is_left_out(self, source):
        assert changes(source) == []

    def test_the_rules_of_a_field_are_changed_and_its_description_is_not(self):
        source = "class A:\n    a: Annotated[int, Field(gt=0, description='text')] = 1"
        assert changes(source) == [
            ("number", source.replace("gt=0", "gt=1")),
            ("number", source.replace("= 1", "= 2")),
        ]


class TestNames:
    """A mutant is named by what it changes, so that the name survives changes elsewhere in the file."""

    def test_place_and_text(self):
        source = "class A:\n\n    def f(self, number):\n        return number <= self.limit"
        found = [(str(mutant), mutant.function) for mutant in mutants_of("a.py", source)]
        assert found == [
            ("a.py:4: return: return number <= self.limit -> return None", "A.f"),
            ("a.py:4: boundary: number <= self.limit -> number < self.limit", "A.f"),
            ("a.py:4: comparison: number <= self.limit -> number > self.limit", "A.f"),
        ]

    def test_more_of_the_line_tells_two_apart(self):
        source = "def f(one, other):\n    total = one + other + 1000\n    return one + other + 1000, total == total"
        texts = [mutant.text for mutant in mutants_of("a.py", source) if mutant.operator in ("number", "arithmetic")]
        assert texts == [
            "total = one + other + 1000 -> total = one + other - 1000",
            "total = one + other + 1000 -> total = one - other + 1000",
            "total = one + other + 1000 -> total = one + other + 1001",
            "(one + other + 1000, total == total) -> (one + other - 1000, total == total)",
            "(one + other + 1000, total == total) -> (one - other + 1000, total == total)",
            "(one + other + 1000, total == total) -> (one + other + 1001, total == total)",
        ]

    def test_equal_lines_are_numbered(self):
        source = "def f(one):\n    one.clear()\n    one.clear()"
        assert [mutant.text for mutant in mutants_of("a.py", source)] == [
            "one.clear() -> pass #1",
            "one.clear() -> pass #2",
        ]

    def test_a_sample_is_the_same_for_the_same_seed(self):
        mutants = mutants_of("a.py", "\n".join(f"a = {number}" for number in range(50)))
        assert sample(mutants, 5, 1) == sample(mutants, 5, 1) != sample(mutants, 5, 2)
        assert [mutant.line for mutant in sample(mutants, 5, 1)] == sorted(
            mutant.line for mutant in sample(mutants, 5, 1)
        )
        assert sample(mutants, 50, 1) == sample(mutants, None, 1) == mutants
