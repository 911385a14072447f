"""What the documents say is so."""

import re
from pathlib import Path

import pytest

from dreamer_core.cli.main import build_parser
from dreamer_core.config import load_config, preset_names
from dreamer_core.metrics.names import METRICS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
OF_THE_LAUNCHER = {"test", "check"}


def test_every_metric_is_documented_as_it_is_defined() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*?) \|$", (ROOT / "docs/metrics.md").read_text(), re.M)
    assert rows == [(name, metric.meaning, metric.direction, metric.unit) for name, metric in METRICS.items()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_that_is_shown_exists(document: Path) -> None:
    commands = set(re.findall(r"^(?:\$ )?\./dreamgate ([a-z]+)", document.read_text(), re.M))
    known = {command for command in commands if f"{command} " in build_parser().format_help() + " "}
    assert commands - OF_THE_LAUNCHER == known - OF_THE_LAUNCHER


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_preset_that_is_shown_exists(document: Path) -> None:
    for shown in set(re.findall(r"preset=([A-Za-z0-9+-]+)", document.read_text())):
        if shown != "NAME":
            assert set(shown.split("+")) <= set(preset_names()), shown
            load_config(preset=shown)
