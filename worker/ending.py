"""How a job ended: from its child's exit code and from who had asked it to stop, to what the server is told. Pure."""

from dataclasses import dataclass

from dreamer_core.errors import OK, STOPPED, USAGE
from dreamer_core.remote.worker_messages import Ending, Outcome
from worker.stopping import Why

_OUTCOMES: dict[Why, Outcome] = {
    Why.CANCEL: "cancelled",
    Why.LIMIT: "limited",
    Why.DRAIN: "drained",
    Why.LOST: "drained",  # nobody will be told
}


@dataclass(frozen=True, kw_only=True)
class Exit:
    """What is known of a child that has ended."""

    code: int  # -9: by signal 9
    status: str | None  # of its manifest; None where it wrote none in this attempt
    error: str | None = None  # of its manifest
    last_words: str = ""  # of its log
    place_problem: str | None = None  # why nothing can be written where it ran, as on a full disk


def judge(end: Exit, why: Why | None, reason: str) -> Ending | None:
    """None: it died, and nobody had asked it to. It can go on from its last checkpoint."""
    if end.code == OK or (end.code < 0 and end.status == "succeeded"):  # a signal on its way out changes nothing
        return Ending(outcome="succeeded", exit_code=end.code)
    if end.code < 0 or end.code == STOPPED or end.status == "interrupted":
        return None if why is None else asked_to_stop(why, reason, end.code)
    blame = "What it was asked for is wrong." if end.code == USAGE else f"It broke (exit code {end.code})."
    return Ending(outcome="failed", exit_code=end.code, reason=blame, error=_first_error(end))


def _first_error(end: Exit) -> str:
    """On a full disk it may have told neither manifest nor log: what the worker finds wrong there comes last."""
    own = end.error or _complaint(end.last_words)
    if end.place_problem is not None:
        return "\n".join(filter(None, [own, end.place_problem]))
    return own or end.last_words or f"It ended with exit code {end.code} and said nothing."


def _complaint(words: str) -> str | None:
    """From where the core, or Python, begins to complain; what comes before is how well it went until then."""
    lines = words.splitlines()
    found = (number for number, line in enumerate(lines) if line.startswith(("dreamgate: ", "Traceback (most recent")))
    first = next(found, None)
    return None if first is None else "\n".join(lines[first:])


def asked_to_stop(why: Why, reason: str, code: int | None = None) -> Ending:
    return Ending(outcome=_OUTCOMES[why], exit_code=code, reason=reason)


def could_not_begin(problem: str) -> Ending:
    return Ending(outcome="failed", reason="It could not be started.", error=problem)


def died_too_often(code: int, times: int) -> Ending:
    guess = " (out of memory?)" if code == -9 else ""
    how = f"killed by signal {-code}{guess}" if code < 0 else f"stopped by somebody (exit code {code})"
    return Ending(outcome="failed", exit_code=code, reason=f"Its process died {times} times.", error=f"It was {how}.")
