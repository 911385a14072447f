"""What the documents say about suites is so."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamer_core.cli.main import parse
from dreamer_core.gates.verdict import Verdict, exit_code
from dreamer_core.suites import Bench, Evaluation, GateUse, Scenario, Suite, suite_from_yaml
from dreamer_core.suites.catalog import shipped_names

DOCS = Path(__file__).parents[3] / "docs"
SUITES = (DOCS / "suites.md").read_text()
PIPELINES = sorted((DOCS / "ci").glob("*.yml"))


def named(heading: str) -> set[str]:
    """Every key that stands first in a row of the table under a heading."""
    table = SUITES.split(f"| {heading} |")[1].split("\n\n")[0]
    return {word for row in re.findall(r"^\| (`.*?`) \|", table, re.M) for word in re.findall(r"`([a-z_]+)`", row)}


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", SUITES, re.M | re.S))
def test_every_suite_that_is_shown_can_be_read_and_uses_its_gates(text: str) -> None:
    assert suite_from_yaml(text).unused_gates == ()


def test_every_key_is_in_its_table() -> None:
    assert named("key of a suite") == {field.name for field in fields(Suite)}
    assert named("key of a scenario") == {field.name for field in fields(Scenario)}
    for kind in (Evaluation, Bench, GateUse):
        for field in fields(kind):
            assert re.search(rf"\b{field.name}\b", SUITES), (kind, field.name)


def test_every_verdict_has_the_exit_code_that_is_told() -> None:
    rows = re.findall(r"^\| (\d) \| (`.*?`) \|", SUITES, re.M)
    told = {word: int(code) for code, words in rows for word in re.findall(r"`([a-z_]+)`", words)}
    assert told == {str(verdict): exit_code(verdict) for verdict in Verdict}


def test_every_shipped_suite_is_told() -> None:
    assert re.findall(r"^\| \[([a-z-]+)\]\(\.\./dreamer_core/suites/shipped/", SUITES, re.M) == [
        "cpu-daily",
        "cartpole",
        "gpu-main",
    ]
    assert len(shipped_names()) == 3


def scripts(tree: Any) -> Iterator[str]:
    """Every line that a pipeline runs."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from ([value] if key == "run" else scripts(value))
    elif isinstance(tree, list):
        for value in tree:
            yield from ([value] if isinstance(value, str) else scripts(value))


def commands(file: Path) -> list[list[str]]:
    lines = [line for text in scripts(yaml.safe_load(file.read_text())) for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("./dreamgate suite")]


@pytest.mark.parametrize("file", PIPELINES, ids=lambda file: file.name)
def test_a_pipeline_calls_a_shipped_suite_with_options_that_exist(file: Path) -> None:
    [words] = commands(file)
    args = parse(words)
    assert args.name in shipped_names()
    assert (args.wait, str(args.junit), str(args.summary)) == (True, "suite.xml", "suite.md")
    posted = {word.split("=")[0] for word in args.post}
    shipped = yaml.safe_load((DOCS.parent / f"dreamer_core/suites/shipped/{args.name}.yaml").read_text())
    assert posted == {one["name"] for one in shipped["scenarios"] if one.get("posted")}


@pytest.mark.parametrize("line", re.findall(r"^\./dreamgate (suite .*?)(?: +#.*)?$", SUITES, re.M))
def test_a_command_that_is_shown_can_be_typed(line: str) -> None:
    parse(shlex.split(line))


def test_there_are_two_pipelines() -> None:
    assert [file.name for file in PIPELINES] == ["github-actions.yml", "gitlab-ci.yml"]
