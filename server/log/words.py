"""What the page and the Markdown of a log say in the same words."""

from collections.abc import Sequence

from server.log.out import Changed, LoggedGroup, Said, Summary
from server.pages.formats import number
from server.tables import RunState

WINDOW = "Each value is the lower median over the last tenth of the run's steps."


def against(changed: Changed) -> str:
    """Behind "Differs"; the parent is linked by whoever writes it."""
    return {"parent": "from its parent", "common": "from most groups here", "preset": f"from preset {changed.preset}"}[
        changed.against
    ]


def who(said: Said) -> str:
    """Which seeds say it; empty where all do."""
    if said.seeds is None:
        return ""
    return f"{'seed' if len(said.seeds) == 1 else 'seeds'} {', '.join(map(seed, said.seeds))}"


def seed(value: int | None) -> str:
    return "–" if value is None else str(value)


def spread(summary: Summary) -> str:
    """The least and the greatest."""
    if summary.min is None:
        return "–"
    if summary.n == 1:
        return number(summary.min)
    return f"{number(summary.min)} … {number(summary.max)}"


def count(summary: Summary) -> str:
    """One seed is an anecdote, and a seed without a number is told."""
    lost = f", {summary.not_finite} not finite" if summary.not_finite else ""
    return f"n={summary.n}{lost}"


def states(group: LoggedGroup) -> str:
    return ", ".join(f"{many} {state}" for state, many in group.states.items())


def no_hypothesis(group: LoggedGroup) -> str:
    return "Not written yet." if waits(group) else "None was written."


def waits(group: LoggedGroup) -> bool:
    """None of its runs has begun: what is expected of them can still be written."""
    return set(group.states) == {RunState.QUEUED}


def size(groups: Sequence[LoggedGroup]) -> str:
    runs = sum(len(group.runs) for group in groups)
    return f"{_many(len(groups), 'seed group')}, {_many(runs, 'run')}"


def arrow(direction: str) -> str:
    return {"higher": " ↑", "lower": " ↓"}.get(direction, "")


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
