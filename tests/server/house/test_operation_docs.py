"""What docs/operation.md says about settings is what the code reads."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
SOURCES = [
    ROOT / "dreamgate",
    *(path for part in ("server", "worker", "dreamer_core") for path in (ROOT / part).rglob("*.py")),
]


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    read = {name for path in SOURCES for name in re.findall(r"DREAMGATE_[A-Z_]*[A-Z]", path.read_text())}
    table = (ROOT / "docs" / "operation.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"DREAMGATE_[A-Z_]+", row)} == read
