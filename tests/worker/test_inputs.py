"""A checkpoint of another run: found on this machine, or fetched."""

import hashlib
import json
from pathlib import Path

import pytest

from dreamer_core.errors import UsageError
from tests.worker.fakes import RUN, FakeServer, a_checkpoint_of
from worker.inputs import fetch_run, find_checkpoint
from worker.places import Desk, Places

STEP = "step_000000000040"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "runs")


@pytest.fixture
def desk(places: Places) -> Desk:
    return places.desk("another", 1)


def on_server(server: FakeServer, seal: bytes = b"{}") -> None:
    pointer = {"path": STEP, "sha256": hashlib.sha256(seal).hexdigest()}
    server.files |= {
        "checkpoints/best.json": json.dumps(pointer).encode(),
        f"checkpoints/{STEP}/checkpoint.json": seal,
        f"checkpoints/{STEP}/agent.safetensors": b"agent",
        f"checkpoints/{STEP}/replay.safetensors": b"replay",
    }


def here(places: Places, seal: bytes = b"{}") -> Path:
    path = places.run(RUN).checkpoints / STEP
    path.mkdir(parents=True)
    (path / "checkpoint.json").write_bytes(seal)
    return path


def test_it_is_fetched_without_its_replay(server: FakeServer, places: Places, desk: Desk) -> None:
    on_server(server)
    found = find_checkpoint(server.client, places, desk, a_checkpoint_of())
    assert sorted(path.name for path in found.iterdir()) == ["agent.safetensors", "checkpoint.json"]
    assert found.is_relative_to(desk.path)


def test_the_same_one_on_this_machine_is_taken_instead(server: FakeServer, places: Places, desk: Desk) -> None:
    on_server(server)
    local = here(places)
    assert find_checkpoint(server.client, places, desk, a_checkpoint_of()) == local


def test_another_one_of_the_same_name_is_not(server: FakeServer, places: Places, desk: Desk) -> None:
    on_server(server)
    here(places, seal=b'{"of": "an earlier life of the run"}')
    assert find_checkpoint(server.client, places, desk, a_checkpoint_of()).is_relative_to(desk.path)


def test_one_that_the_server_never_got_is_found_here(server: FakeServer, places: Places, desk: Desk) -> None:
    local = here(places)
    (local.parent / "best.json").write_text(json.dumps({"path": STEP, "sha256": ""}))
    assert find_checkpoint(server.client, places, desk, a_checkpoint_of()) == local
    assert find_checkpoint(server.client, places, desk, a_checkpoint_of(which=STEP)) == local


def test_one_that_is_nowhere_is_a_clear_error(server: FakeServer, places: Places, desk: Desk) -> None:
    with pytest.raises(UsageError, match=f"run {RUN} has no best checkpoint yet: let it train"):
        find_checkpoint(server.client, places, desk, a_checkpoint_of())
    with pytest.raises(UsageError, match="has no checkpoint 'step_000000000099', neither here nor on the server"):
        find_checkpoint(server.client, places, desk, a_checkpoint_of(which="step_000000000099"))


def test_a_whole_run_takes_the_place_of_what_is_here(server: FakeServer, places: Places, desk: Desk) -> None:
    server.files = {"manifest.json": b"{}", "checkpoints/last.json": b"{}"}
    local = places.run(RUN).path
    local.mkdir(parents=True)
    (local / "old").touch()
    desk.path.mkdir(parents=True)
    fetch_run(server.client, RUN, desk, local)
    assert sorted(path.name for path in local.rglob("*")) == ["checkpoints", "last.json", "manifest.json"]


def test_a_name_that_leads_out_of_the_folder_is_refused(server: FakeServer, places: Places, desk: Desk) -> None:
    server.files = {"../evil": b"x"}
    with pytest.raises(UsageError, match="which is no place to write to"):
        fetch_run(server.client, RUN, desk, places.run(RUN).path)
