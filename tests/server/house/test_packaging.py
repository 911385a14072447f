"""What is built from the checkout holds everything that runs, and the images run what exists."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from dreamer_core.cli.main import parse

ROOT = Path(__file__).parents[3]
PARTS = ("dreamer_core", "server", "worker", "templates", "migrations")
DOCKERFILE = (ROOT / "Dockerfile").read_text()
IMAGES = ("web", "worker")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


class Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answering() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, because building leaves things behind."""
    source = tmp_path_factory.mktemp("source")
    for name in PARTS:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*build, str(built), str(source)], check=True, capture_output=True)
    return next(built.glob("*.whl"))


def test_the_wheel_holds_every_file_of_every_part(source: Path, wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    there = {str(path.relative_to(source)) for part in PARTS for path in (source / part).rglob("*") if path.is_file()}
    assert there - packed == set()


def test_the_wheel_brings_the_commands(wheel: Path) -> None:
    info = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("entry_points.txt"))
    words = zipfile.ZipFile(wheel).read(info).decode()
    assert re.findall(r"^(\w+) = (?:server|worker)\.", words, re.M) == ["doctor", "migrate", "serve", "up", "worker"]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of the Dockerfile by stage; what comes before the first stage is under an empty name."""
    found: dict[str, list[tuple[str, str]]] = {"": []}
    name = ""
    for line in DOCKERFILE.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            name = rest.split(" AS ")[1]
            found[name] = []
        found[name].append((word, rest))
    return found


def instruction(stage: str, word: str) -> str:
    [rest] = [rest for found, rest in stages()[stage] if found == word]
    return rest


def test_what_the_images_are_made_of_exists_and_is_sent_to_the_engine() -> None:
    sources = {
        source
        for instructions in stages().values()
        for word, rest in instructions
        if word == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    }
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == sent
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_every_stage_builds_on_an_earlier_one_or_on_python() -> None:
    before: set[str] = set()
    for name in [name for name in stages() if name]:
        base = instruction(name, "FROM").split()[0]
        assert base in before or base.startswith("python:${PYTHON}-slim")
        before.add(name)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_does_not_run_as_root(image: str) -> None:
    assert instruction(image, "USER") == "dreamgate"


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_commands_that_exist(image: str) -> None:
    program, *words = json.loads(instruction(image, "CMD"))
    assert program == "dreamgate"
    assert callable(parse(words).run)


def test_the_health_of_the_web_image_is_asked_of_its_server(answering: ThreadingHTTPServer) -> None:
    program, *words = json.loads(instruction("web", "HEALTHCHECK").partition("CMD ")[2])
    words[-1] = words[-1].replace("8420", str(answering.server_port))
    assert program == "python"
    for status, code in ((200, 0), (503, 1)):
        Health.status = status
        assert subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode == code


def test_the_health_of_the_worker_image_is_asked_of_the_doctor() -> None:
    program, *words = json.loads(instruction("worker", "HEALTHCHECK").partition("CMD ")[2])
    assert program == "dreamgate"
    assert parse(words).only == ["worker"]
    assert parse(words).strict


def test_the_web_image_has_no_torch() -> None:
    installed = [rest for word, rest in stages()["build-web"] if word == "RUN"]
    assert re.findall(r"\.\[([a-z,]+)\]", " ".join(installed)) == ["server"]


def test_what_is_downloaded_without_a_package_manager_s_word_has_a_hash() -> None:
    installed = " ".join(rest for word, rest in stages()["build-web"] if word == "RUN")
    assert (
        "--require-hashes --target /opt/dreamgate/share/dreamgate/assets --requirement server/assets.txt" in installed
    )


def test_the_services_build_images_that_exist() -> None:
    targets = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert targets == set(IMAGES)


@pytest.mark.parametrize("name", list(SERVICES))
def test_a_service_waits_only_for_what_tells_its_health(name: str) -> None:
    for other, wish in SERVICES[name].get("depends_on", {}).items():
        assert wish == {"condition": "service_healthy"}
        assert "build" in SERVICES[other] or "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", list(SERVICES))
def test_a_service_keeps_its_data_in_a_volume(name: str) -> None:
    volumes = [volume.partition(":")[0] for volume in SERVICES[name]["volumes"]]
    assert len(volumes) == 1
    assert set(volumes) <= set(COMPOSE["volumes"])


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "TOKEN" in name or "PASSWORD" in name or ("://" in value and "@" in value):
                assert re.search(r"\$\{[A-Z_]+:\?[^}]+\}", value), name


def test_nothing_but_the_server_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]
    assert SERVICES["web"]["ports"] == ["${DREAMGATE_PUBLISH:-127.0.0.1:8420}:8420"]


def test_a_worker_that_is_stopped_has_time_to_save_its_jobs() -> None:
    for name in ("worker", "worker-gpu"):
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > 120
