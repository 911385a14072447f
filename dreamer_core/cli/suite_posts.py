"""Numbers for scenarios that wait for them, from the files that tests and benchmarks wrote."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dreamer_core.errors import UsageError


@dataclass
class Post:
    """What one scenario is sent: it is said once, so everything for it goes together."""

    numbers: list[Mapping[str, Any]] = field(default_factory=list)
    parity: list[Mapping[str, Any]] = field(default_factory=list)


def read_posts(words: Sequence[str]) -> dict[str, Post]:
    """SCENARIO=FILE words; one scenario may have several files."""
    posts: dict[str, Post] = {}
    for word in words:
        scenario, equals, file = word.partition("=")
        if not scenario or not equals or not file:
            raise UsageError(f"numbers are posted as SCENARIO=FILE.json, got {word!r}")
        _add(posts.setdefault(scenario, Post()), Path(file))
    return posts


def _add(post: Post, path: Path) -> None:
    """`{"parity": [...], "numbers": [...]}`, a metrics.jsonl, or one object of numbers, which is a summary."""
    from dreamer_core.cli.gate_inputs import read_object, read_text
    from dreamer_core.gates.posted import parity_from

    if path.suffix == ".jsonl":
        post.numbers.append({"name": path.stem, "records": _records(read_text(path), path)})
        return
    tree = read_object(path)
    if not tree.keys() & {"parity", "numbers"}:
        post.numbers.append({"name": path.stem, "records": [tree]})
        return
    parity, numbers = tree.get("parity", []), tree.get("numbers", [])
    parity_from(parity, str(path))  # refused here, before a suite is started for it
    if not isinstance(numbers, list) or not all(isinstance(one, dict) for one in numbers):
        raise UsageError(f"{path}: numbers are a list of {{name, seed, records}}, got {numbers!r:.80}")
    post.parity += parity
    post.numbers += numbers


def _records(text: str, path: Path) -> list[dict[str, Any]]:
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        found = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON, line by line: {error}") from None
    if not all(isinstance(one, dict) for one in found):
        raise UsageError(f"{path} must hold one JSON object a line")
    return found
