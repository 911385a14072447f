"""The seven verdicts, which of them are green, and what several come to together."""

from collections.abc import Iterable
from enum import StrEnum

from dreamer_core.errors import BROKE, CANNOT_TELL, OK, RED


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105 - no password
    IMPROVED = "improved"  # passed, and better than the tolerance or the noise explains
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"  # there is evidence, but not enough of it
    NO_DATA = "no_data"  # nothing to judge by: no numbers, or numbers that may not be compared
    ERROR = "error"  # the check itself, or what made the numbers, is broken
    SKIPPED = "skipped"  # somebody decided beforehand that it would not be judged

    @property
    def is_green(self) -> bool:
        return self in _GREEN

    @property
    def shape(self) -> str:
        """Beside the word, so that colour is never the only sign."""
        return _SHAPES[self]


_GREEN = frozenset({Verdict.PASS, Verdict.IMPROVED})
_SHAPES = dict(zip(Verdict, "●▲■◆○✕–", strict=True))

# The first of these that occurs is what all come to. A certain failure outweighs what could not be found out, and
# `improved` stands before `pass`: something is better, and everything else is at least as good as before.
WORST_FIRST = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.NO_DATA,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
    Verdict.IMPROVED,
    Verdict.PASS,
)

_EXIT_CODES = {Verdict.PASS: OK, Verdict.IMPROVED: OK, Verdict.FAIL: RED, Verdict.ERROR: BROKE}


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst one. Of nothing at all: `no_data`, because nobody earned a pass."""
    found = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in found), Verdict.NO_DATA)


def exit_code(verdict: Verdict) -> int:
    """What a command ends with: 0 green, 1 red, 3 cannot tell, 4 broke."""
    return _EXIT_CODES.get(verdict, CANNOT_TELL)
