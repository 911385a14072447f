"""Reading a configuration costs no torch, and neither does anything before a command knows what it needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "statement",
    [
        "import dreamer_core",
        "import dreamer_core.config",
        "from dreamer_core.config import load_config; load_config(preset='cartpole')",
        "import dreamer_core.errors, dreamer_core.version",
        "import dreamer_core.remote; dreamer_core.remote.Client('http://127.0.0.1:1', 'token')",
        "from dreamer_core.cli.main import build_parser; build_parser('presets')",
    ],
)
def test_heavy_packages_stay_out(statement: str) -> None:
    code = f"import sys; {statement}; print({{'torch', 'numpy', 'gymnasium', 'rich', 'httpx2'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
