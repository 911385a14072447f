"""The gates know no torch, no files and no clock."""

import ast
import subprocess
import sys
from pathlib import Path

import dreamer_core.gates

FOLDER = Path(dreamer_core.gates.__file__).parent
IMPURE = {"os", "pathlib", "time", "datetime", "random", "socket", "subprocess", "torch", "io", "shutil", "tempfile"}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_nothing_impure_is_imported() -> None:
    for path in FOLDER.rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert not imported(tree) & IMPURE, path
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not calls & {"open", "print", "input"}, path


def test_torch_stays_out_indirectly_too() -> None:
    code = "import sys, dreamer_core.gates; print({'torch', 'scipy', 'rich', 'gymnasium'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
