"""Checks as sentences."""

from typing import Any

import pytest

from dreamer_core.gates.checks import CHECKS
from server.pages.check_words import sentences

NEEDED: dict[str, dict[str, Any]] = {
    "floor": {"key": "k", "value": 3, "strict": True, "across": "median"},
    "ceiling": {"key": "k", "value": 3},
    "hold": {"level": 475, "keep": 400},
    "time_to_threshold": {"level": 475},
    "change_point": {"keys": ["sps"]},
}


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_has_a_sentence(kind: str) -> None:
    [(name, words)] = sentences([{"check": kind, **NEEDED.get(kind, {})}])
    assert name == kind
    assert words.endswith(".")


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (
            {"check": "floor", **NEEDED["floor"], "window": {"last": 5}},
            "k: the median of the middle run is above 3, over the last 5 records.",
        ),
        (
            {"check": "hold", **NEEDED["hold"], "by_env_steps": 20000},
            "eval/mean_return reaches 475 by env step 20,000; after that no evaluation falls short of 400.",
        ),
        (
            {"check": "hold", **NEEDED["hold"], "quantile": 0.05},
            "eval/mean_return reaches 475; after that all but 5 % of the evaluations do not fall short of 400.",
        ),
        (
            {"check": "time_to_threshold", "level": 475, "by_env_steps": 1000, "min_solved": 0.8},
            "80 % of the runs reach eval/mean_return 475 by env step 1,000.",
        ),
        (
            {"check": "threshold_median", "keys": ["sps"], "threshold_pct": 0.1, "two_sided": True},
            "sps: the median differs from the baseline's by no more than 10 %.",
        ),
        (
            {"check": "finite", "required": False},
            "Loss/*, Grads/*, State/*: no NaN and no infinity, in all records. It only warns.",
        ),
        ({"check": "parity", "skip": "no fixtures"}, "Not judged: no fixtures."),
    ],
)
def test_settings_are_in_the_sentence(check: dict[str, Any], words: str) -> None:
    [(_, said)] = sentences([check])
    assert said.endswith(words)
