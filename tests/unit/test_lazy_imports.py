"""Reading a configuration costs no torch."""

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
    ],
)
def test_heavy_packages_stay_out(statement: str) -> None:
    code = f"import sys; {statement}; print({{'torch', 'numpy', 'gymnasium', 'rich'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
