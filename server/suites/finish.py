"""The end of a suite run: its verdict, and a message to everybody who wants one."""

from collections.abc import Sequence

from sqlmodel import Session

from dreamer_core.gates import Verdict, combine
from dreamer_core.gates.verdict import WORST_FIRST
from dreamer_core.gates.words import count, some
from server.suites import webhooks
from server.suites.progress import Progress
from server.tables import SuiteRun, SuiteState


def finish(session: Session, run: SuiteRun, scenarios: Sequence[Progress], now: float) -> None:
    """All scenarios have their verdicts; the worst one counts."""
    said = {one.scenario.name: one.verdict or Verdict.ERROR for one in scenarios}
    verdict = combine(said.values())
    tally = [f"{amount} {word}" for word in WORST_FIRST if (amount := sum(one is word for one in said.values()))]
    why = "" if verdict.is_green else f" ({some([name for name, one in said.items() if one is verdict])})"
    reason = f"{verdict}{why}: {', '.join(tally)} of {count(len(said), 'scenario')}"
    close(session, run, SuiteState.FINISHED, verdict, reason, now)


def close(session: Session, run: SuiteRun, state: SuiteState, verdict: Verdict, reason: str, now: float) -> None:
    run.state, run.verdict, run.reason, run.ended_at = state, verdict, reason, now
    session.add(run)
    session.flush()
    webhooks.announce(session, run, now)
