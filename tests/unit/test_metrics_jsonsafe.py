"""Numbers that JSON does not know survive it, and no file holds what JSON does not allow."""

import json
import math

import pytest

from dreamer_core.metrics.jsonsafe import dumps, loads, loads_numbers


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
