"""Finding the commit that made a suite red, when each answer costs training runs and may be "cannot tell".

Pure: the history and the one who answers are handed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dreamer_core.gates import Verdict

DECIDED = (Verdict.PASS, Verdict.IMPROVED, Verdict.FAIL)


class History(Protocol):
    def between(self, bad: str, good: Sequence[str]) -> list[str]:
        """The commits that `bad` has and none of `good`: the one that halves them best first; `bad` is among them."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the suite came to at a commit, with how many more seeds than it asks for."""

    commit: str
    verdict: Verdict
    suite_run: str = ""
    widened: int = 0


Ask = Callable[[str, int], Answer]  # commit, how many times as many seeds more


@dataclass(frozen=True, kw_only=True)
class Found:
    """`first_bad` is the earliest red commit; it or one of `undecided`, which could not be judged, broke it."""

    first_bad: str
    undecided: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()


@dataclass
class Search:
    """As git bisect does it, with an oracle that is asked again with more seeds before a commit is skipped."""

    history: History
    ask: Ask
    most_widenings: int = 2
    answers: list[Answer] = field(default_factory=list)

    def judge(self, commit: str) -> Answer:
        """Widen the seed set while the answer is inconclusive."""
        answer = self.ask(commit, 0)
        while answer.verdict is Verdict.INCONCLUSIVE and answer.widened < self.most_widenings:
            answer = self.ask(commit, answer.widened + 1)
        self.answers.append(answer)
        return answer

    def run(self, good: str, bad: str) -> Found:
        greens, undecided = [good], list[str]()
        while True:
            left = self.history.between(bad, greens)
            open_ = [commit for commit in left if commit != bad and commit not in undecided]
            if not open_:
                maybe = tuple(commit for commit in left if commit in undecided)
                return Found(first_bad=bad, undecided=maybe, answers=tuple(self.answers))
            answer = self.judge(open_[0])
            if answer.verdict is Verdict.FAIL:
                bad = answer.commit
            elif answer.verdict.is_green:
                greens.append(answer.commit)
            else:
                undecided.append(answer.commit)
