"""What is to be compared, as an address says it: which sides, beside which baseline, in which metrics."""

import re
from dataclasses import dataclass

from server.compare.sides import Kind
from server.errors import InvalidError

MOST_SIDES = 8  # as many as there are colours
MOST_KEYS = 12


@dataclass(frozen=True, kw_only=True)
class Asked:
    runs: tuple[str, ...]
    groups: tuple[str, ...]
    baseline: str | None  # None: nothing was said; empty: none is wanted
    metrics: tuple[str, ...]

    @classmethod
    def read(cls, runs: str, groups: str, baseline: str | None, metrics: str) -> "Asked":
        """Lists with commas or spaces between; a metric may have spaces in its name."""
        asked = cls(
            runs=_words(runs),
            groups=_words(groups),
            baseline=baseline.strip() if baseline else baseline,
            metrics=_words(metrics, ","),
        )
        if len(asked.sides) > MOST_SIDES:
            raise InvalidError(f"At most {MOST_SIDES} at once.", where="runs", todo="Take some away.")
        if len(asked.metrics) > MOST_KEYS:
            raise InvalidError(f"At most {MOST_KEYS} metrics at once.", where="metrics", seen=len(asked.metrics))
        return asked

    @property
    def sides(self) -> list[tuple[Kind, str]]:
        """In the order in which they are shown."""
        return [*(("group", name) for name in self.groups), *(("run", name) for name in self.runs)]


def _words(text: str, split: str = r"[\s,]+") -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (word.strip() for word in re.split(split, text)))))
