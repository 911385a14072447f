"""`dreamgate submit`: put jobs into a server's queue."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from dreamer_core.cli import options, server_options
from dreamer_core.cli.checkout import find_commit
from dreamer_core.cli.seeds import read_seeds
from dreamer_core.errors import OK, UsageError

if TYPE_CHECKING:
    from dreamer_core.remote import Checkpoint, Client, Submission
    from dreamer_core.remote.shapes import Job


_KINDS = ("train", "eval", "bench", "viz")


def add_to(commands: Any) -> None:
    parser = commands.add_parser(
        "submit",
        help="put jobs into the queue",
        usage="dreamgate submit [KEY=VALUE ...] [options]",
        description="One job, or one for each seed: dreamgate submit preset=cartpole --seeds 0,1,2. Prints the ids.",
    )
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="as for `dreamgate train`")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a layer between the preset and KEY=VALUE")
    parser.add_argument("--kind", choices=_KINDS, default="train", metavar="KIND", help="train, eval, bench or viz")
    parser.add_argument(
        "--checkpoint", metavar="RUN[:X]", help="of that run, in its experiment: best (default), last ..."
    )
    parser.add_argument("--argument", action="append", default=[], metavar="K=V", help="eval: episodes=100 ...")
    parser.add_argument("--seeds", metavar="0,1,2", help="a job for each; 0-2 is the same")
    parser.add_argument("--needs", action="append", default=[], metavar="ID[,ID]", help="start when these succeeded")
    _add_place(parser)
    _add_words(parser)
    parser.add_argument("--wait", action="store_true", help="as `dreamgate wait` does")
    server_options.add_server(parser)
    options.add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    asked = read_submission(args)
    with server_options.open_client(args) as client:
        jobs = client.submit(asked)
        _show(client, jobs, as_json=args.json)
        _warn_of_waiting(jobs)
        if not args.wait:
            return OK
        from dreamer_core.cli.wait import wait_and_show

        return wait_and_show(client, [job.run_id for job in jobs], timeout_s=None, as_json=args.json)


def read_submission(args: argparse.Namespace) -> "Submission":
    from dreamer_core.remote import Submission

    if args.kind in ("eval", "viz") and not args.checkpoint:
        raise UsageError(f"{args.kind} needs --checkpoint RUN: whose world model or agent is it about?")
    return Submission(
        kind=args.kind,
        experiment=args.experiment,
        name=args.name,
        words=args.words,
        config=_layer(args.config),
        seeds=read_seeds(args.seeds),
        queue=args.queue,
        priority=args.priority,
        gpus=args.gpus,
        tags=args.tag,
        hypothesis=args.hypothesis,
        primary_metric=args.primary_metric,
        stop_rule=args.stop_rule,
        commit=find_commit(args.commit) if args.commit else None,
        checkpoint=_checkpoint(args.checkpoint),
        arguments=server_options.values("--argument", args.argument),
        needs=[run_id for word in args.needs for run_id in server_options.commas(word)],
        limits=server_options.values("--limit", args.limit),
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--queue", default="auto", help="cpu, gpu ... (default: gpu where a worker serves it, else cpu)"
    )
    parser.add_argument("--priority", type=int, default=0, metavar="N", help="-100 to 100, higher first (default 0)")
    parser.add_argument("--gpus", type=int, metavar="N")
    parser.add_argument("--commit", metavar="REF", help="run that commit's code (HEAD: of this repository)")
    parser.add_argument("--limit", action="append", default=[], metavar="K=V", help="rss_mib=4000, seconds=600 ...")


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--experiment", metavar="NAME", help="made if there is none (default: default)")
    parser.add_argument("--name", help="of the run")
    parser.add_argument("--tag", action="append", default=[])
    parser.add_argument("--hypothesis", default="", metavar="TEXT", help="change X → expect Y, before it is known")
    parser.add_argument("--primary-metric", metavar="KEY", help="what decides about it")
    parser.add_argument("--stop-rule", default="", metavar="TEXT", help="when it is over")


def _layer(file: Path | None) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"--config: there is no file {file}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"--config: {file} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"--config: {file} must have sections of keys")
    return found


def _checkpoint(text: str | None) -> "Checkpoint | None":
    from dreamer_core.remote import Checkpoint

    if text is None:
        return None
    run_id, _, which = text.partition(":")
    return Checkpoint(run=run_id, which=which or "best")


def _warn_of_waiting(jobs: "tuple[Job, ...]") -> None:
    """Why nobody takes them, as the server sees it now: better said at once than waited for."""
    import sys

    for reason in dict.fromkeys(job.run.reason for job in jobs if job.run.reason and not job.needs):
        which = "the job waits" if len(jobs) == 1 else "the jobs wait"
        print(f"dreamgate: {which}: {reason}", file=sys.stderr)


def _show(client: "Client", jobs: "tuple[Job, ...]", *, as_json: bool) -> None:
    """Ids go to stdout, for `dreamgate wait $(dreamgate submit ...)`; what people want to know goes beside it."""
    import sys

    from dreamer_core.metrics.jsonsafe import dumps

    for job in jobs:
        page = f"{client.url}/runs/{job.run_id}"
        if as_json:
            print(dumps({"type": "job", "run": job.run_id, "queue": job.queue, "state": job.state, "page": page}))
            continue
        print(job.run_id, flush=True)
        print(f"{job.run.name}, queue {job.queue}: {page}", file=sys.stderr)
