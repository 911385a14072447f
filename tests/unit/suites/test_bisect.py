"""The search for the commit that broke something, with an oracle that sometimes cannot tell."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer_core.gates import Verdict
from dreamer_core.suites.bisect import Answer, Search


class Line:
    """Commits 0, 1, 2 ... one after the other."""

    def between(self, bad: str, good: Sequence[str]) -> list[str]:
        newest = max(int(commit) for commit in good)
        left = list(range(newest + 1, int(bad) + 1))
        middle = (newest + int(bad)) / 2
        return [str(commit) for commit in sorted(left, key=lambda commit: abs(commit - middle))]


class Oracle:
    def __init__(self, broken_by: int, odd: Mapping[int, Sequence[Verdict]] | None = None) -> None:
        self.broken_by, self.odd, self.asked = broken_by, odd or {}, list[tuple[int, int]]()

    def __call__(self, commit: str, widened: int) -> Answer:
        number = int(commit)
        self.asked.append((number, widened))
        verdict = Verdict.FAIL if number >= self.broken_by else Verdict.PASS
        odd = self.odd.get(number, ())
        return Answer(commit=commit, verdict=odd[widened] if widened < len(odd) else verdict, widened=widened)


@given(length=st.integers(1, 200), data=st.data())
def test_the_first_bad_commit_is_found_in_few_questions(length: int, data: st.DataObject) -> None:
    broken_by = data.draw(st.integers(1, length))
    oracle = Oracle(broken_by)
    found = Search(Line(), oracle).run("0", str(length))
    assert (found.first_bad, found.undecided) == (str(broken_by), ())
    assert len(oracle.asked) <= length.bit_length() + 1


def test_an_inconclusive_answer_is_asked_again_with_more_seeds() -> None:
    oracle = Oracle(3, {4: [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE]})
    found = Search(Line(), oracle).run("0", "8")
    assert found.first_bad == "3"
    assert oracle.asked[:3] == [(4, 0), (4, 1), (4, 2)]


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.NO_DATA, Verdict.INCONCLUSIVE, Verdict.SKIPPED])
def test_a_commit_that_cannot_be_judged_is_passed_over(verdict: Verdict) -> None:
    oracle = Oracle(3, {4: [verdict] * 9})
    found = Search(Line(), oracle).run("0", "8")
    assert (found.first_bad, found.undecided) == ("3", ())


def test_what_could_not_be_judged_just_before_the_first_bad_one_may_have_been_it() -> None:
    oracle = Oracle(4, {3: [Verdict.ERROR]})
    found = Search(Line(), oracle).run("0", "8")
    assert (found.first_bad, found.undecided) == ("4", ("3",))
    assert [answer.commit for answer in found.answers][-1] in ("2", "3")


def test_only_inconclusive_is_a_matter_of_seeds() -> None:
    oracle = Oracle(3, {4: [Verdict.ERROR] * 9})
    Search(Line(), oracle).run("0", "8")
    assert (4, 1) not in oracle.asked
