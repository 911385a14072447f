"""`dreamgate suite run` and `show`: start a suite, wait for its verdict, and end with what it came to."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options, suite_report
from dreamer_core.cli.suite_waits import warn_if_nobody_comes, way_back
from dreamer_core.errors import CANNOT_TELL, OK, UsageError
from dreamer_core.program import command

if TYPE_CHECKING:
    from dreamer_core.cli.suite_posts import Post
    from dreamer_core.remote import Client
    from dreamer_core.remote.suite_shapes import Suite, SuiteRunDetail

_CODES = "Exit codes: 0 green, 1 red, 2 called wrong, 3 cannot tell (also: not over yet), 4 broke."


def add_run(parts: Any) -> None:
    parser = parts.add_parser(
        "run",
        help="run a suite of the server",
        description=f"Prints the id of the suite run; with --wait, what it came to. {_CODES}",
    )
    parser.add_argument("name", metavar="NAME", help="of a suite that was applied")
    parser.add_argument("--commit", metavar="REF", help="the code to run (default: HEAD of this repository)")
    parser.add_argument("--installed", action="store_true", help="run what the workers have installed, no commit")
    parser.add_argument("--branch", metavar="B", help="it is of (default: the one that is checked out here)")
    parser.add_argument("--who", default=os.environ.get("USER", ""), help="starts it (default: $USER)")
    parser.add_argument(
        "--post",
        action="append",
        default=[],
        metavar="SCENARIO=FILE.json",
        help="numbers for a scenario that waits for them; may be repeated",
    )
    parser.add_argument("--wait", action="store_true", help="until it is over")
    _add_waiting(parser)
    parser.set_defaults(run=run)


def add_show(parts: Any) -> None:
    parser = parts.add_parser("show", help="what a suite run came to", description=_CODES)
    _add_id(parser)
    parser.add_argument("--wait", action="store_true", help="until it is over")
    _add_waiting(parser)
    parser.set_defaults(run=run_show)


def add_post(parts: Any) -> None:
    parser = parts.add_parser("post", help="send the numbers that a suite run waits for")
    _add_id(parser)
    parser.add_argument("posts", nargs="+", metavar="SCENARIO=FILE.json")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run_post)


def add_cancel(parts: Any) -> None:
    parser = parts.add_parser("cancel", help="stop a suite run and its jobs; it says no verdict then")
    _add_id(parser)
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run_cancel)


def run(args: argparse.Namespace) -> int:
    from dreamer_core.cli.suite_posts import read_posts

    _check(args)
    posts = read_posts(args.post)
    with server_options.open_client(args) as client:
        missing = _check_posts(client.get_suite(args.name), posts)
        started = _start(client, args)
        _tell_start(client, started, as_json=args.json)
        _tell_missing(client, started, missing)
        warn_if_nobody_comes(client, started, "; --installed runs what the workers have")
        with way_back(client.url, started.id):
            _post(client, started.id, posts)
            return _wait(client, args, started) if args.wait else OK


def run_show(args: argparse.Namespace) -> int:
    _check(args)
    with server_options.open_client(args) as client:
        found = client.get_suite_run(args.suite_run_id)  # a server that was never there is not waited for
        look = _wait if args.wait else _tell
        with way_back(client.url, found.id):
            return look(client, args, found)


def run_post(args: argparse.Namespace) -> int:
    from dreamer_core.cli.suite_posts import read_posts
    from dreamer_core.metrics.jsonsafe import dumps

    posts = read_posts(args.posts)
    with server_options.open_client(args) as client:
        _post(client, args.suite_run_id, posts)
    said = {"type": "posted", "suite_run": args.suite_run_id, "scenarios": list(posts)}
    print(dumps(said) if args.json else f"{args.suite_run_id}: posted to {', '.join(posts)}")
    return OK


def run_cancel(args: argparse.Namespace) -> int:
    from dreamer_core.metrics.jsonsafe import dumps

    with server_options.open_client(args) as client:
        found = client.cancel_suite_run(args.suite_run_id)
    said = {"type": "suite_run", "suite_run": found.id, "state": found.state}
    print(dumps(said) if args.json else f"{found.id} {found.state}")
    return OK


def _wait(client: "Client", args: argparse.Namespace, run: "SuiteRunDetail") -> int:
    from dreamer_core.cli.suite_progress import Lines
    from dreamer_core.remote.suite_waiting import wait_for_suite

    lines = Lines(as_json=args.json)
    return _tell(client, args, wait_for_suite(client, run.id, timeout_s=args.timeout, on_look=lines.on_look))


def _tell(client: "Client", args: argparse.Namespace, found: "SuiteRunDetail") -> int:
    from dreamer_core.gates.verdict import exit_code

    report = suite_report.report_of(client, found)
    code = CANNOT_TELL if report.verdict is None else exit_code(report.verdict)
    suite_report.write_files(report, args.junit, args.summary)
    suite_report.show(report, code, as_json=args.json)
    if not found.is_final and args.wait:
        print(f"dreamgate: not over after {args.timeout:g} s; the suite goes on", file=sys.stderr)
    return code


def _start(client: "Client", args: argparse.Namespace) -> "SuiteRunDetail":
    from dreamer_core.cli.checkout import Checkout, find_checkout, find_commit, warn_if_dirty

    here = Checkout() if args.installed or args.commit else find_checkout()
    warn_if_dirty(here)
    return client.start_suite(
        args.name,
        commit=find_commit(args.commit) if args.commit else here.commit,
        branch=args.branch or here.branch,
        trigger="ci" if os.environ.get("CI") else "terminal",
        who=args.who,
    )


def _post(client: "Client", suite_run_id: str, posts: "dict[str, Post]") -> None:
    for scenario, post in posts.items():
        _send(client, suite_run_id, scenario, post)


def _send(client: "Client", suite_run_id: str, scenario: str, post: "Post") -> None:
    """The same numbers may come twice, so a lost answer is no harm."""
    from dreamer_core.remote.suite_waiting import through_outages

    through_outages(lambda: client.post_numbers(suite_run_id, scenario, numbers=post.numbers, parity=post.parity))


def _check(args: argparse.Namespace) -> None:
    options.check_outputs(files=[args.junit, args.summary])
    if args.timeout is not None and args.timeout < 0:
        raise UsageError(f"--timeout must be at least 0, got {args.timeout:g}")
    if getattr(args, "installed", False) and args.commit:
        raise UsageError("--installed runs no commit: leave --commit out, or --installed")


def _check_posts(suite: "Suite", posts: "dict[str, Post]") -> list[str]:
    """Before anything is started; what comes back are scenarios whose numbers are still to be sent."""
    waiting = [one["name"] for one in suite.body["scenarios"] if one.get("posted")]
    if unknown := sorted(posts.keys() - set(waiting)):
        known = ", ".join(waiting) or "none"
        raise UsageError(f"--post: {suite.name} has no scenario {unknown[0]!r} that takes numbers; it has {known}")
    return [name for name in waiting if name not in posts]


def _tell_missing(client: "Client", run: "SuiteRunDetail", scenarios: list[str]) -> None:
    """A scenario that nobody posts to is waited for for ever."""
    for name in scenarios:
        todo = command(f"suite post {run.id} {name}=FILE.json", client.url)
        print(f"dreamgate: scenario {name} waits for numbers: {todo}", file=sys.stderr)


def _tell_start(client: "Client", run: "SuiteRunDetail", *, as_json: bool) -> None:
    from dreamer_core.metrics.jsonsafe import dumps

    page = f"{client.url}/suite-runs/{run.id}"
    if as_json:
        print(dumps({"type": "suite_run", "suite_run": run.id, "jobs": run.jobs.total, "page": page}), flush=True)
        return
    print(run.id, flush=True)
    code = f" of {run.commit[:12]}" if run.commit else ""
    print(f"{run.suite} v{run.suite_version}{code}, {run.jobs.total} jobs: {page}", file=sys.stderr)


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("suite_run_id", metavar="ID", help="of the suite run")


def _add_waiting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=float, metavar="S", help="give up waiting after so many seconds")
    suite_report.add_files(parser)
    server_options.add_server(parser)
    options.add_json(parser)
