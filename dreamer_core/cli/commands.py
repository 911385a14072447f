"""Which commands there are: the core's own, and those that other packages bring by an entry point."""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dreamer_core.cli import (
    baseline,
    bench,
    bench_learning,
    bisect,
    cancel,
    compare,
    curves,
    evaluate,
    export,
    gate,
    log,
    logs,
    presets,
    resume,
    retry,
    runs,
    submit,
    suite,
    sweep,
    train,
    viz,
    wait,
)
from dreamer_core.config.parse import suggestion
from dreamer_core.errors import UsageError
from dreamer_core.program import command

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINTS = "dreamgate.commands"  # name = "a.module", which has `add_to(commands)` and is quick to import

_TRAINING = (train, evaluate, bench, bench_learning, viz, sweep, presets, baseline, gate)
_CLIENT = (submit, runs, wait, logs, curves, compare, export, log, cancel, retry, resume, suite, bisect)


class Commands:
    """Takes argparse's place for those who add themselves, because it lists commands without order or groups."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parsers = parser.add_subparsers(
            prog=parser.prog, metavar="COMMAND", required=True, help=argparse.SUPPRESS
        )
        self._groups: dict[str, list[tuple[str, str]]] = {"training": [], "server and worker": [], "client": []}
        self.group = "training"

    def add_parser(self, name: str, *, help: str, **options: Any) -> argparse.ArgumentParser:
        if name in self:
            raise ValueError(f"there is a command {name!r} already")
        self._groups[self.group].append((name, help))
        parser: argparse.ArgumentParser = self._parsers.add_parser(name, help=help, **options)
        return parser

    def __contains__(self, name: object) -> bool:
        return name in self._parsers.choices

    def check(self, name: str) -> None:
        """argparse would list all of them, and say nothing of the nearest."""
        if name not in self:
            near = suggestion(name, list(self._parsers.choices))
            raise UsageError(f"there is no command {name!r}{near or ':'} `{command('--help')}` lists them")

    def listing(self) -> str:
        width = max(len(name) for rows in self._groups.values() for name, _ in rows)
        groups = (
            f"{group}:\n" + "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)
            for group, rows in self._groups.items()
            if rows
        )
        return "\n\n".join(groups)


def add_all(parser: argparse.ArgumentParser, wanted: str | None = None) -> Commands:
    """Every command; with `wanted`, of the other packages' only that one, where it is not the core's.

    Reading what is installed takes as long as everything else before a command runs, so it is done only when it must.
    """
    commands = Commands(parser)
    _add(commands, "training", _TRAINING)
    _add(commands, "client", _CLIENT)
    if wanted not in commands:
        commands.group = "server and worker"
        found = _entry_points()
        for entry in [entry for entry in found if entry.name == wanted] or found:
            _add_entry(commands, entry)
    return commands


def epilog(text: str) -> str:
    return textwrap.fill(text, 100)


def _add(commands: Commands, group: str, modules: Sequence[Any]) -> None:
    commands.group = group
    for module in modules:
        module.add_to(commands)


def _entry_points() -> "list[EntryPoint]":
    from importlib.metadata import entry_points

    return sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)


def _add_entry(commands: Commands, entry: "EntryPoint") -> None:
    """Somebody else's mistake must not take our own commands away."""
    try:
        entry.load().add_to(commands)
    except Exception as error:
        print(
            f"dreamgate: the command {entry.name!r} is left out, {entry.value} cannot be loaded: "
            f"{type(error).__name__}: {error}",
            file=sys.stderr,
        )
