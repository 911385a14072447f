"""More seeds of a run: the same training again, with the next seeds that its group does not have."""

from collections.abc import Iterator, Set
from itertools import count, islice

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, col, select

from server.errors import InvalidError
from server.house import HouseDep
from server.jobs.clone import clone
from server.jobs.orders import CloneIn
from server.pages.launch_form import MOST_SEEDS, whole_number
from server.pages.list_address import ListAddress
from server.pages.sent_form import SentForm
from server.runs.rows import get_run
from server.tables import Run, RunKind

router = APIRouter(include_in_schema=False)

KINDS = (RunKind.TRAIN, RunKind.BENCH)  # an evaluation takes the seed of what it evaluates


@router.post("/runs/{run_id}/more-seeds")
def more_seeds(house: HouseDep, run_id: str, sent: SentForm) -> Response:
    amount = whole_number("n", sent.get("n", ""))
    if amount is None or not 1 <= amount <= MOST_SEEDS:
        raise InvalidError(f"Say how many seeds, from 1 to {MOST_SEEDS}.", where="n", seen=sent.get("n"))
    with house.database.writing() as session:
        order = CloneIn(seeds=next_seeds(session, get_run(session, run_id), amount))
        runs, news = clone(session, run_id, order, house.clock(), house.settings.lease_s)
    news.tell(house)
    return RedirectResponse(ListAddress().url(seed_group=runs[0].seed_group), 303)


def next_seeds(session: Session, run: Run, amount: int) -> list[int]:
    """The smallest that no run of the group has, deleted or not: a seed that was thrown away is not drawn again."""
    used = set(session.exec(select(Run.seed).where(col(Run.seed_group) == run.seed_group)))
    return list(islice(_unused(used), amount))


def _unused(used: Set[int | None]) -> Iterator[int]:
    return (seed for seed in count() if seed not in used)
