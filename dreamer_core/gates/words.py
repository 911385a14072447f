"""How numbers are said in a reason: short, and enough digits to argue with."""

import math
from collections.abc import Sequence

_MOST_NAMED = 4


def number(value: float) -> str:
    return f"{value:.6g}"


def share(value: float) -> str:
    """A signed percentage."""
    return f"{value:+.1%}"


def count(amount: int, word: str) -> str:
    return f"{amount} {word}" if amount == 1 else f"{amount} {word}s"


def kind_of(value: float) -> str:
    """What a value that is not finite is called."""
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def some(names: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    named = ", ".join(names[:_MOST_NAMED])
    left = len(names) - _MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named
