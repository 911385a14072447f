"""`dreamgate bisect`: which commit made a suite red? Each step is a suite run on the server; nothing is checked out."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import CANNOT_TELL, OK, UsageError

if TYPE_CHECKING:
    from dreamer_core.remote import Client
    from dreamer_core.remote.suite_shapes import SuiteRunDetail
    from dreamer_core.suites.bisect import Answer, Found
    from dreamer_core.suites.history import GitHistory


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "bisect",
        help="find the commit that made a suite red",
        description="A binary search over commits whose every step is a run of the suite. Runs that the server already "
        "has of a commit, config and seed are not run again; an inconclusive step is repeated with more seeds. "
        "Ctrl-C stops the search, not its step; called again, it takes what is done by then. "
        "Exit codes: 0 found, 2 called wrong, 3 cannot tell, 4 broke.",
    )
    parser.add_argument("--good", required=True, metavar="REF", help="a commit where the suite was green")
    parser.add_argument("--bad", default="HEAD", metavar="REF", help="a commit where it is red (default HEAD)")
    parser.add_argument("--suite", required=True, metavar="NAME", help="a suite of the server")
    parser.add_argument("--repo", type=Path, default=Path("."), metavar="DIR", help="the repository (default .)")
    parser.add_argument("--first-parent", action="store_true", help="take a merge as one step")
    parser.add_argument("--widen", type=int, default=2, metavar="N", help="more seeds so many times (default 2)")
    parser.add_argument("--trust", action="store_true", help="do not judge the good and the bad commit first")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dreamer_core.suites.bisect import Search
    from dreamer_core.suites.history import open_history

    if args.widen < 0:
        raise UsageError(f"--widen must be at least 0, got {args.widen}")
    history = open_history(args.repo, first_parent=args.first_parent)
    good, bad = history.commit(args.good), history.commit(args.bad)
    if good == bad or not history.is_ancestor(good, bad):
        raise UsageError(f"--good {args.good} must come before --bad {args.bad} in the history")
    with server_options.open_client(args) as client:
        oracle = _Oracle(client, args.suite, history, as_json=args.json)
        search = Search(history, oracle.ask, most_widenings=args.widen)
        if not args.trust:
            _check_ends(search, good, bad)
        found = search.run(good, bad)
    _show(found, history, as_json=args.json)
    return CANNOT_TELL if found.undecided else OK


class _Oracle:
    """Asks the server, and says on the terminal what it said."""

    def __init__(self, client: "Client", suite: str, history: "GitHistory", *, as_json: bool) -> None:
        self._client, self._suite, self._history, self._as_json = client, suite, history, as_json

    def ask(self, commit: str, widened: int) -> "Answer":
        from dreamer_core.gates import Verdict
        from dreamer_core.suites.bisect import Answer

        started = self._client.start_suite(self._suite, commit=commit, trigger="bisect", widen=widened, reuse=True)
        done = self._wait(started)
        answer = Answer(commit=commit, verdict=Verdict(done.verdict or "skipped"), suite_run=done.id, widened=widened)
        self._tell(answer, done.reason)
        return answer

    def _wait(self, started: "SuiteRunDetail") -> "SuiteRunDetail":
        """Each step may take hours: what is judged, and what it waits for, is seen from the first moment on."""
        from dreamer_core.cli.suite_progress import Lines
        from dreamer_core.cli.suite_waits import warn_if_nobody_comes, way_back
        from dreamer_core.remote.suite_waiting import wait_for_suite

        if not self._as_json:
            page = f"{self._client.url}/suite-runs/{started.id}"
            commit = (started.commit or "")[:12]
            print(f"judging {commit}, {started.jobs.total} jobs: {page}", file=sys.stderr, flush=True)
        warn_if_nobody_comes(self._client, started)
        with way_back(self._client.url, started.id):
            return wait_for_suite(self._client, started.id, on_look=Lines(as_json=self._as_json).on_look)

    def _tell(self, answer: "Answer", reason: str) -> None:
        from dreamer_core.metrics.jsonsafe import dumps

        if self._as_json:
            print(dumps({"type": "step", **asdict(answer), "reason": reason}), flush=True)
        else:
            more = f", with {answer.widened + 1} times the seeds" if answer.widened else ""
            print(f"{self._history.title(answer.commit)}\n  {reason}{more} (suite run {answer.suite_run})", flush=True)


def _check_ends(search: Any, good: str, bad: str) -> None:
    """A search between two commits that do not differ would blame the wrong one."""
    last = search.judge(bad)
    if last.verdict != "fail":
        raise UsageError(f"--bad is {last.verdict}, not fail (suite run {last.suite_run}): there is nothing to find")
    first = search.judge(good)
    if not first.verdict.is_green:
        raise UsageError(f"--good is {first.verdict}, not green (suite run {first.suite_run}): take an older one")


def _show(found: "Found", history: "GitHistory", *, as_json: bool) -> None:
    from dreamer_core.metrics.jsonsafe import dumps

    if as_json:
        print(dumps({"type": "result", "first_bad": found.first_bad, "undecided": list(found.undecided)}))
        return
    print(f"\nthe first red commit: {history.title(found.first_bad)}\n  {found.first_bad}")
    if found.undecided:
        print("it, or one of these that could not be judged:")
        for commit in found.undecided:
            print(f"  {history.title(commit)}")
