"""What the documents say about gates is so."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from dreamer_core.gates.checks import CHECKS
from dreamer_core.gates.spec import gate_from_yaml
from dreamer_core.gates.verdict import Verdict, exit_code

DOCS = Path(__file__).parents[3] / "docs"
GATES, SEEDS = (DOCS / "gates.md").read_text(), (DOCS / "from-the-seeds.md").read_text()
OF_EVERY_CHECK = {"name", "required", "skip"}


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", GATES + SEEDS, re.M | re.S))
def test_every_gate_that_is_shown_can_be_read(text: str) -> None:
    assert gate_from_yaml(text).checks


def test_every_check_and_setting_is_in_the_table() -> None:
    rows = {
        word: settings
        for words, settings in re.findall(r"^\| (`[a-z_`, ]+`) \| .*? \| (.*) \|$", GATES, re.M)
        for word in re.findall(r"`([a-z_]+)`", words)
    }
    for word, check in CHECKS.items():
        named = set(re.findall(r"`([a-z_]+)`", rows[word]))
        assert {field.name for field in fields(check)} - OF_EVERY_CHECK <= named, word


def test_every_verdict_is_in_the_table_with_its_exit_code() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| . \| (\d) \|", GATES, re.M))
    assert rows == {str(verdict): str(exit_code(verdict)) for verdict in Verdict}
