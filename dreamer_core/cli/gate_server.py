"""`dreamgate gate apply` and `evaluate`: gates that a server keeps, judging runs that it has."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import options, server_options
from dreamer_core.errors import OK, ConfigError, UsageError

if TYPE_CHECKING:
    from dreamer_core.remote.gate_shapes import GateResultDetail


def add_parts(parts: Any) -> None:
    apply = parts.add_parser("apply", help="keep gate files on the server; other checks need another version")
    apply.add_argument("files", type=Path, nargs="+", metavar="FILE.yaml")
    server_options.add_server(apply)
    options.add_json(apply)
    apply.set_defaults(run=run_apply)
    evaluate = parts.add_parser(
        "evaluate",
        help="judge runs of the server by a gate of the server",
        description="The verdict is kept, with every number. Exit codes: 0 green, 1 red, 2 called wrong, 3 cannot "
        "tell, 4 broke.",
    )
    evaluate.add_argument("name", metavar="NAME", help="of a gate that was applied, or compare, which is built in")
    add_runs(evaluate)
    evaluate.add_argument("--baseline", metavar="NAME[@N]", help="its newest version, or this one")
    evaluate.add_argument("--version", type=int, metavar="N", help="of the gate (default: the newest)")
    evaluate.add_argument("--commit", metavar="SHA", help="what is judged, where the runs do not say it")
    server_options.add_server(evaluate)
    options.add_json(evaluate)
    evaluate.set_defaults(run=run_evaluate)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Which runs are meant: the same words for blessing and for judging."""
    parser.add_argument("--runs", nargs="+", default=[], metavar="ID", help="of runs, with commas or spaces between")
    parser.add_argument("--group", metavar="HASH", help="all runs of this seed group")


def runs_of(args: argparse.Namespace) -> list[str]:
    runs = [run_id for word in args.runs for run_id in server_options.commas(word)]
    if not runs and not args.group:
        raise UsageError("say which runs: --runs ID,ID or --group HASH")
    return runs


def run_apply(args: argparse.Namespace) -> int:
    from dreamer_core.gates import gate_to_mapping
    from dreamer_core.metrics.jsonsafe import dumps

    gates = {file: _read(file) for file in args.files}  # all of them, before anything is sent
    with server_options.open_client(args) as client:
        for file, gate in gates.items():
            kept = client.apply_gate(gate_to_mapping(gate), str(file)[-200:])
            said = {"type": "gate", "name": kept.name, "version": kept.version, "source": kept.source}
            page = f"{client.url}/gates/{kept.name}"
            print(dumps(said | {"page": page}) if args.json else f"{kept.name} v{kept.version}: {page}")
    return OK


def run_evaluate(args: argparse.Namespace) -> int:
    from dreamer_core.gates.verdict import Verdict, exit_code

    runs = runs_of(args)
    with server_options.open_client(args) as client:
        found = client.evaluate_gate(
            args.name,
            runs=runs,
            seed_group=args.group,
            baseline=args.baseline,
            version=args.version,
            commit=args.commit,
        )
        code = exit_code(Verdict(found.verdict))
        _show(found, f"{client.url}/gate-results/{found.id}", code, as_json=args.json)
    return code


def _read(file: Path) -> Any:
    from dreamer_core.cli.gate_inputs import read_text
    from dreamer_core.gates import gate_from_yaml

    try:
        return gate_from_yaml(read_text(file))
    except ConfigError as error:
        raise UsageError(f"{file}: {error}") from None


def _show(found: "GateResultDetail", page: str, code: int, *, as_json: bool) -> None:
    from dataclasses import asdict

    from dreamer_core.gates.verdict import Verdict
    from dreamer_core.metrics.jsonsafe import dumps

    if as_json:
        print(dumps({"type": "result", **asdict(found), "page": page, "exit_code": code}))
        return
    for one in found.results:
        warning = " (warning)" if one.warning else ""
        print(f"{Verdict(one.verdict).shape} {one.verdict:<12} {one.check}{warning}: {one.reason}")
    for note in found.notes:
        print(f"note: {note}")
    against = f" against {found.baseline.name} v{found.baseline.version}" if found.baseline else ""
    print(f"{Verdict(found.verdict).shape} {found.gate} v{found.gate_version}{against}: {found.reason}")
    print(page)
