"""Numbers that JSON does not know survive it, and no file holds what JSON does not allow."""

import ast
import json
import math
from pathlib import Path
from typing import get_args

import pytest

from dreamer_core.metrics.jsonsafe import NUMBERS, Word, dumps, loads, loads_numbers, word

ROOT = Path(__file__).parents[2]


def test_non_finite_numbers_become_words_at_any_depth() -> None:
    value = {"a": math.nan, "b": [math.inf, {"c": -math.inf}], "d": (1.5, "text", None, True)}
    assert dumps(value) == '{"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}], "d": [1.5, "text", null, true]}'


def test_the_words_become_numbers_only_when_asked() -> None:
    text = dumps({"nan": math.nan, "inf": [math.inf, -math.inf], "name": "NaNcy"})
    assert loads(text) == {"nan": "NaN", "inf": ["Infinity", "-Infinity"], "name": "NaNcy"}
    numbers = loads_numbers(text)
    assert math.isnan(numbers["nan"])
    assert numbers["inf"] == [math.inf, -math.inf]
    assert numbers["name"] == "NaNcy"


def test_finite_numbers_are_bit_exact() -> None:
    values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2**62]
    assert [str(value) for value in loads(dumps(values))] == [str(value) for value in values]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_bare_constants_are_refused(constant: str) -> None:
    assert isinstance(json.loads(constant), float)  # Python's own reader takes them
    with pytest.raises(ValueError, match=f"{constant} is not JSON"):
        loads(f'{{"loss": {constant}}}')


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_word_is_for_what_is_not_finite(value: float) -> None:
    said = word(value)
    assert said is not None
    assert str(NUMBERS[said]) == str(value)
    assert [word(finite) for finite in (0.0, -0.0, 1.7976931348623157e308)] == [None] * 3


def test_the_words_are_said_in_one_place() -> None:
    assert set(get_args(Word)) == set(NUMBERS)
    files = [file for folder in ("dreamer_core", "server", "worker") for file in (ROOT / folder).rglob("*.py")]
    saying = [file.name for file in files for node in ast.walk(ast.parse(file.read_text())) if _says(node)]
    assert set(saying) == {"jsonsafe.py"}


def _says(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == "-Infinity"
