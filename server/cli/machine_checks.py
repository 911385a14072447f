"""What `doctor` looks at on the machine: Python, packages, page scripts, torch and git."""

import importlib.util
import json
import platform
import shutil
import subprocess
import sys

from server.assets import RECIPE, Assets, assets_folder
from server.cli.finding import Check, Finding

_SERVER = ("fastapi", "uvicorn", "sqlmodel", "alembic", "psycopg", "jinja2", "celery", "redis", "fsspec", "pyarrow")
_WORKER = ("torch", "gymnasium", "safetensors", "celery", "redis", "psutil")

# In a process of its own: importing torch takes a second and much memory, and may break in ways of its own.
_ASK_TORCH = """
import json, torch
cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
print(json.dumps({"version": torch.__version__, "cards": cards, "built": torch.version.cuda}))
"""


def machine_checks() -> dict[str, Check]:
    return {"python": _python, "packages": _packages, "scripts": _scripts, "torch": _torch, "git": _git}


def _python() -> Finding:
    return Finding("python", "ok", f"{platform.python_version()}, {sys.executable}")


def _packages() -> Finding:
    """A machine may well be made for one of the two only."""
    server, worker = _missing(_SERVER), _missing(_WORKER)
    if not server and not worker:
        return Finding("packages", "ok", "for the server and for workers")
    words = "; ".join(
        [f"the server lacks {', '.join(server)}"] * bool(server)
        + [f"a worker lacks {', '.join(worker)}"] * bool(worker)
    )
    todo = "./dreamgate installs everything; by hand: pip install 'dreamgate[server]' or 'dreamgate[worker]'"
    return Finding("packages", "fail" if server and worker else "warn", words, todo)


def _scripts() -> Finding:
    assets = Assets(assets_folder())
    if assets.missing:
        todo = f"pip install --no-deps --require-hashes --target {assets.folder} -r {RECIPE}"
        return Finding("scripts", "fail", f"{assets.folder} lacks {', '.join(assets.missing)}", todo)
    return Finding("scripts", "ok", str(assets.folder))


def _torch() -> Finding:
    if _missing(("torch",)):
        return Finding("torch", "warn", "not installed: this machine serves, and cannot train")
    asked = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-P", "-c", _ASK_TORCH], capture_output=True, text=True, timeout=120, check=False
    )
    if asked.returncode:
        words = f"does not import: {asked.stderr.strip().splitlines()[-1:]}"
        return Finding("torch", "fail", words, "Remove .venv and run ./dreamgate again.")
    found = json.loads(asked.stdout)
    if found["cards"]:
        return Finding("torch", "ok", f"{found['version']}, {len(found['cards'])} × {found['cards'][0]}")
    if found["built"] and shutil.which("nvidia-smi"):
        todo = "Compare `nvidia-smi` with the CUDA version that torch was built for."
        return Finding("torch", "warn", f"{found['version']} sees no GPU, though the driver's tools are here", todo)
    return Finding("torch", "ok", f"{found['version']}, on the CPU")


def _git() -> Finding:
    if shutil.which("git") is None:
        todo = "Install git: without it no run knows its commit, and no worker can run one."
        return Finding("git", "warn", "not installed", todo)
    asked = subprocess.run(["git", "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S607
    return Finding("git", "ok", asked.stdout.strip())


def _missing(packages: tuple[str, ...]) -> list[str]:
    return [package for package in packages if importlib.util.find_spec(package) is None]
