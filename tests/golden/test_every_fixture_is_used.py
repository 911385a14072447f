"""A fixture that no test looks at proves nothing."""

import ast
from pathlib import Path

from tests.golden.fixtures import read_manifest

HERE = Path(__file__).parent


def test_every_fixture_is_loaded_by_a_parity_test() -> None:
    tests = [*HERE.glob("test_nature_*.py"), *HERE.glob("test_sheeprl_*.py")]
    named = set().union(*(_strings(path) for path in tests))
    assert sorted(read_manifest()["fixtures"].keys() - named) == []


def _strings(path: Path) -> set[str]:
    """Every string that a file's code holds; docstrings are longer than any name."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
