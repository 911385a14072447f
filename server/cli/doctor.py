"""`dreamgate doctor`: looks at every part, and says what to do about what is wrong."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dreamer_core.errors import OK, RED
from server.cli import places

if TYPE_CHECKING:
    from server.cli.finding import Finding

PARTS = ("python", "packages", "data", "database", "broker", "server", "worker", "scripts", "torch", "git")
_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="check every part, and say what to do",
        description="Looks at Python, packages, data folder, database, broker, server, worker, page scripts, torch and "
        "git. Exits with 1 where something fails; a warning is no failure.",
    )
    places.add_data(parser)
    places.add_address(parser)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--strict", action="store_true", help="a warning is a failure, too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from server.cli.finding import look
    from server.cli.house_checks import house_checks
    from server.cli.machine_checks import machine_checks

    environ, settings = places.environment_of(args), places.settings_of(args)
    checks = {**machine_checks(), **house_checks(settings, environ.get("DREAMGATE_SERVER"))}
    findings = [look(part, checks[part]) for part in args.only or PARTS]
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings]))
    else:
        _show(findings)
    bad = {"fail", "warn"} if args.strict else {"fail"}
    return RED if any(finding.state in bad for finding in findings) else OK


def _show(findings: Sequence["Finding"]) -> None:
    for finding in findings:
        print(f"{_MARKS[finding.state]}  {finding.part:<9}  {finding.words}")
        if finding.todo:
            print(f"      {'':<9}  → {finding.todo}")
