"""`actor.lr=1e-5,3e-5 seed=0,1` to one list of words per run: pure."""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from dreamer_core.errors import ConfigError

_OPEN, _CLOSE = "[{(", ")}]"


class Point(NamedTuple):
    words: tuple[str, ...]  # for one run
    varied: tuple[tuple[str, str], ...]  # what this run has of each axis, without the seed
    seed: str | None  # of the seed axis, if there is one


def expand(words: Sequence[str]) -> list[Point]:
    """The product of every word that lists several values, seeds last so that each variant's seeds are neighbours."""
    axes: list[tuple[str, list[str]]] = []
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise ConfigError("", f"expected key=value or key=a,b,c, got {word!r}")
        values = split_values(text)
        if len(set(values)) != len(values):
            raise ConfigError(key, f"lists a value twice: {text}")
        axes.append((key, values))
    axes.sort(key=lambda axis: axis[0] == "seed")
    return [_point(axes, choice) for choice in product(*(values for _, values in axes))]


def split_values(text: str) -> list[str]:
    """Commas separate values, except inside brackets: `[2,3],[4]` is two lists."""
    values, depth = [""], 0
    for character in text:
        depth += (character in _OPEN) - (character in _CLOSE)
        if character == "," and depth == 0:
            values.append("")
        else:
            values[-1] += character
    return values


def _point(axes: list[tuple[str, list[str]]], choice: tuple[str, ...]) -> Point:
    chosen = dict(zip((key for key, _ in axes), choice, strict=True))
    lengths = {key: len(values) for key, values in axes}
    varied = tuple((key, value) for key, value in chosen.items() if lengths[key] > 1 and key != "seed")
    return Point(tuple(f"{key}={value}" for key, value in chosen.items()), varied, chosen.get("seed"))
