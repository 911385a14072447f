"""The web image's recipe, followed in a fresh environment: no torch, no checkout, and it serves."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from tests.server.house.processes import environment, get, wait_for

ROOT = Path(__file__).parents[3]
PARTS = ("dreamer_core", "server", "worker", "templates", "migrations", "pyproject.toml", "README.md", "LICENSE")


def pip_environment() -> dict[str, str]:
    """The launcher knows how to tell uv what pip is configured with."""
    spec = spec_from_loader("launcher", SourceFileLoader("launcher", str(ROOT / "dreamgate")))
    assert spec is not None
    assert spec.loader is not None
    launcher = module_from_spec(spec)
    spec.loader.exec_module(launcher)
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    told: dict[str, str] = launcher.uv_environment(launcher.parse_pip_settings(listing.stdout), os.environ)
    return {**os.environ, **told}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but what the web image has."""
    home, source = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("source")
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", str(home / "bin/python")]
    assets = ["--no-deps", "--require-hashes", "--target", str(home / "share/dreamgate/assets")]
    for words in (
        ["--constraint", str(ROOT / "constraints.txt"), f"{source}[server]"],
        [*assets, "--requirement", str(ROOT / "server/assets.txt")],
    ):
        subprocess.run([*uv, *words], check=True, env=pip_environment())
    return home


@pytest.mark.slow
def test_the_web_image_serves_without_torch_and_without_a_checkout(home: Path, tmp_path: Path) -> None:
    dreamgate = str(home / "bin" / "dreamgate")
    env = environment(DREAMGATE_DATA=str(tmp_path / "data"))
    has_torch = subprocess.run([str(home / "bin/python"), "-c", "import torch"], capture_output=True, check=False)
    assert has_torch.returncode == 1
    with subprocess.Popen(
        [dreamgate, "serve", "--port", "0"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    ) as serve:
        assert serve.stdout is not None
        url = serve.stdout.readline().split()[1].partition("/login")[0]
        try:
            wait_for(lambda: get(f"{url}/health"))
            env["DREAMGATE_SERVER"] = url
            health = subprocess.run(
                [dreamgate, "doctor", "--strict", "--only", "server", "scripts"], env=env, check=False
            )
            assert health.returncode == 0
            token = (tmp_path / "data" / "token").read_text().strip()
            assert get(f"{url}/api/v1/presets", token)["items"]
        finally:
            serve.terminate()
    assert serve.returncode == 0
