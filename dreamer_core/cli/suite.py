"""`dreamgate suite`: check and apply suite files, list what a server has, run one and wait for its verdict."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options, suite_run
from dreamer_core.errors import OK, ConfigError, UsageError

if TYPE_CHECKING:
    from dreamer_core import suites
    from dreamer_core.remote.suite_shapes import Suite


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "suite",
        help="scenarios, seeds and gates that judge a commit",
        description="A suite is a YAML file: docs/suites.md. The package brings some: dreamgate suite list --shipped",
    )
    parts = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_list(parts)
    _add_files(parts, "check", "read suite files and say what is wrong with them; asks no server", run_check)
    server_options.add_server(_add_files(parts, "apply", "keep suite files on the server", run_apply))
    suite_run.add_run(parts)
    suite_run.add_show(parts)
    suite_run.add_post(parts)
    suite_run.add_cancel(parts)


def run_list(args: argparse.Namespace) -> int:
    if args.shipped:
        return _list_shipped(as_json=args.json)
    from dreamer_core.metrics.jsonsafe import dumps

    with server_options.open_client(args) as client:
        found = client.suites()
    if args.json:
        for one in found:
            print(dumps({"type": "suite", **_row(one)}))
    else:
        _print_table(found, client.url)
    return OK


def run_check(args: argparse.Namespace) -> int:
    from dreamer_core.gates.words import count
    from dreamer_core.metrics.jsonsafe import dumps

    for file, (suite, _) in _read_all(args.files).items():
        _warn_of_unused(suite.name, suite.unused_gates)
        said = {"name": suite.name, "version": suite.version, "scenarios": len(suite.scenarios), "jobs": suite.jobs}
        if args.json:
            print(dumps({"type": "suite", "file": file, **said, "unused_gates": list(suite.unused_gates)}))
        else:
            size = f"{count(len(suite.scenarios), 'scenario')}, {count(suite.jobs, 'job')}"
            print(f"{file}: {suite.name} v{suite.version}, {size}")
    return OK


def run_apply(args: argparse.Namespace) -> int:
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.suites import suite_to_mapping

    read = _read_all(args.files)
    with server_options.open_client(args) as client:
        for suite, source in read.values():
            kept = client.apply_suite(suite_to_mapping(suite), source)
            _warn_of_unused(kept.name, kept.unused_gates)
            page = f"{client.url}/suites/{kept.name}"
            print(dumps({"type": "suite", **_row(kept)}) if args.json else f"{kept.name} v{kept.version}: {page}")
    return OK


def _add_list(parts: Any) -> None:
    parser = parts.add_parser("list", help="the suites that the server has")
    parser.add_argument("--shipped", action="store_true", help="those that the package brings; asks no server")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run_list)


def _add_files(parts: Any, name: str, help: str, run: Any) -> Any:
    parser = parts.add_parser(name, help=help)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a YAML file, or the name of a shipped suite")
    options.add_json(parser)
    parser.set_defaults(run=run)
    return parser


def _read_all(files: list[str]) -> "dict[str, tuple[suites.Suite, str]]":
    """All of them, before anything is sent: each with where it is kept."""
    return {file: _read(file) for file in files}


def _read(file: str) -> "tuple[suites.Suite, str]":
    from dreamer_core.suites import suite_from_yaml

    text, source = _text_of(file)
    try:
        return suite_from_yaml(text), source
    except ConfigError as error:
        raise UsageError(f"{file}: {error}") from None


def _text_of(file: str) -> tuple[str, str]:
    from dreamer_core.cli.gate_inputs import read_text
    from dreamer_core.suites.catalog import read_shipped, shipped_names
    from dreamer_core.version import __version__

    if Path(file).is_file():
        return read_text(Path(file)), file[-200:]
    if file in shipped_names():
        return read_shipped(file), f"shipped with dreamgate {__version__}"
    raise UsageError(f"there is no file {file}, and the package has no such suite: {', '.join(shipped_names())}")


def _warn_of_unused(name: str, unused: "tuple[str, ...]") -> None:
    if unused:
        print(f"dreamgate: {name}: no scenario uses {', '.join(unused)}: use it, or delete it", file=sys.stderr)


def _list_shipped(*, as_json: bool) -> int:
    from dreamer_core.metrics.jsonsafe import dumps
    from dreamer_core.suites.catalog import describe_shipped

    for name, what in describe_shipped().items():
        print(dumps({"type": "suite", "name": name, "what": what}) if as_json else f"{name:<12} {what}")
    return OK


def _row(suite: "Suite") -> dict[str, Any]:
    latest = suite.latest
    return {
        "name": suite.name,
        "version": suite.version,
        "source": suite.source,
        "schedule": suite.schedule,
        "next_at": suite.next_at,
        "scenarios": len(suite.scenarios),
        "jobs": sum(scenario.jobs for scenario in suite.scenarios),
        "unused_gates": list(suite.unused_gates),
        "latest": None if latest is None else {"id": latest.id, "state": latest.state, "verdict": latest.verdict},
    }


def _print_table(found: "tuple[Suite, ...]", server: str) -> None:
    from dreamer_core.cli.amounts import NONE, age
    from dreamer_core.cli.tables import Column, Rows
    from dreamer_core.gates.verdict import Verdict
    from dreamer_core.program import command

    names = (Column("name", is_whole=True), Column("scenarios", is_number=True), Column("jobs", is_number=True))
    latest = (Column("latest", is_whole=True), Column("started", leaves=2))
    table = Rows((*names, Column("schedule (UTC)", leaves=1), *latest))
    for suite in found:
        row, run = _row(suite), suite.latest
        word = NONE if run is None else run.verdict or run.state
        shape = Verdict(run.verdict).shape if run is not None and run.verdict else ""
        when = age(run.created_at) if run is not None else ""
        numbers = (str(row["scenarios"]), str(row["jobs"]))
        table.add(f"{suite.name} v{suite.version}", *numbers, suite.schedule or NONE, f"{shape} {word}".strip(), when)
    table.show(empty=f"There is no suite yet: {command('suite apply cpu-daily', server)}")
