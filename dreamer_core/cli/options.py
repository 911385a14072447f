"""Options that several commands share, and how they become a config."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from dreamer_core.config import Config, load_config
from dreamer_core.config.tree import Mode
from dreamer_core.errors import UsageError
from dreamer_core.program import command

_MODES: tuple[Mode, ...] = ("train", "bootstrap", "dreamer", "standing_still")


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="preset=NAME[+NAME], seed=1, algo.horizon=10 ...")
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", help="a layer between the preset and KEY=VALUE")
    parser.add_argument("--mode", choices=_MODES, help="the same as mode=...")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, one object per line, and no progress bar")


def add_runs(parser: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get("DREAMGATE_RUNS", "runs"))
    parser.add_argument("--runs", type=Path, default=default, metavar="DIR", help=f"where runs go (default {default})")


def add_into(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--into", type=Path, metavar="DIR", help="make it a run in exactly this new folder")


def add_checkpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="PATH", help="a run, RUN/best, RUN/last or one checkpoint"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def check_outputs(*, files: Sequence[Path | None] = (), folder: Path | None = None) -> None:
    """Before the work, not after it: what is to be written must not be there as something else."""
    for path in files:
        if path is not None and path.is_dir():
            raise UsageError(f"{path} is a folder, and a file is to be written there; name a file")
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, and files are to be written into it; name a folder")


def read_config(args: argparse.Namespace) -> Config:
    if args.config is not None and not args.config.is_file():
        raise UsageError(f"--config: there is no file {args.config}")
    words = list(args.words)
    if args.mode:
        words.append(f"mode={args.mode}")
    if args.config is None and all("=" in word and not word.startswith("preset=") for word in words):
        raise UsageError(
            f"choose what to train: preset=NAME (`{command('presets')}` lists them), or --config FILE.yaml"
        )
    return load_config(words, file=args.config)
