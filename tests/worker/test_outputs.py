"""What a run leaves behind, on its way to the server."""

import json
from pathlib import Path

import pytest

from dreamer_core.remote.shapes import Artifact
from dreamer_core.runs.folder import RunFolder
from tests.worker.fakes import FakeClient, FakeServer, a_claim
from worker.outputs import Outputs


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    write(folder, "manifest.json", '{"status": "running"}')
    write(folder, "config.json", "{}")
    write(folder, "metrics.jsonl", "{}\n")
    write(folder, ".lock", "123")
    write(folder, "eval/step_40.json", "{}")
    return folder


def write(folder: RunFolder, name: str, text: str) -> None:
    path = folder.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def save(folder: RunFolder, step: int, *pointers: str) -> str:
    name = f"step_{step:012d}"
    for file in ("checkpoint.json", "agent.safetensors", "replay.safetensors"):
        write(folder, f"checkpoints/{name}/{file}", f"{file} {step}")
    for pointer in pointers:
        write(folder, f"checkpoints/{pointer}.json", json.dumps({"path": name}))
    return name


def outputs_of(server: FakeServer, folder: RunFolder) -> Outputs:
    return Outputs(server.client, a_claim(), folder)


def test_papers_scores_and_the_two_checkpoints_go_up_without_replay(server: FakeServer, folder: RunFolder) -> None:
    best, last = save(folder, 40, "best"), save(folder, 80, "last")
    save(folder, 60)
    outputs_of(server, folder).send_all(to_go_on=False)
    assert sorted(server.files) == [
        "checkpoints/best.json",
        "checkpoints/last.json",
        f"checkpoints/{best}/agent.safetensors",
        f"checkpoints/{best}/checkpoint.json",
        f"checkpoints/{last}/agent.safetensors",
        f"checkpoints/{last}/checkpoint.json",
        "config.json",
        "eval/step_40.json",
        "manifest.json",
    ]


def test_a_pointer_goes_up_after_what_it_names(server: FakeServer, folder: RunFolder) -> None:
    save(folder, 40, "best", "last")
    outputs_of(server, folder).send_all(to_go_on=True)
    uploads = [call for call in server.calls if call.startswith("upload")]
    assert uploads[-2:] == ["upload checkpoints/best.json", "upload checkpoints/last.json"]


def test_what_is_there_already_is_not_sent_again(server: FakeServer, folder: RunFolder) -> None:
    save(folder, 40, "best", "last")
    outputs_of(server, folder).send_all(to_go_on=False)
    server.calls.clear()
    write(folder, "config.json", "[]")  # of the same length
    outputs_of(server, folder).send_all(to_go_on=False)
    assert [call for call in server.calls if call.startswith("upload")] == ["upload config.json"]


def test_old_checkpoints_are_taken_away_and_what_people_added_is_not(server: FakeServer, folder: RunFolder) -> None:
    old = save(folder, 40, "best", "last")
    outputs_of(server, folder).send_all(to_go_on=True)
    server.files["notes/mine.txt"] = b"mine"
    new = save(folder, 80, "best", "last")
    outputs_of(server, folder).send_all(to_go_on=False)
    assert not any(old in name for name in server.files)
    assert f"checkpoints/{new}/agent.safetensors" in server.files
    assert "notes/mine.txt" in server.files
    assert "metrics.jsonl" not in server.files


def test_to_go_on_elsewhere_the_replay_the_streams_and_the_ranks_are_needed(
    server: FakeServer, folder: RunFolder
) -> None:
    last = save(folder, 80, "last")
    write(folder, "ranks/1/metrics.jsonl", "{}\n")
    outputs_of(server, folder).send_all(to_go_on=True)
    needed = {f"checkpoints/{last}/replay.safetensors", "metrics.jsonl", "ranks/1/metrics.jsonl"}
    assert needed <= server.files.keys()


def test_while_it_runs_each_new_best_is_sent_once(server: FakeServer, folder: RunFolder) -> None:
    outputs = outputs_of(server, folder)
    outputs.send_best()
    assert server.files == {}
    first = save(folder, 40, "best")
    outputs.send_best()
    outputs.send_best()
    assert server.calls.count("upload checkpoints/best.json") == 1
    assert {f"checkpoints/{first}/agent.safetensors", "eval/step_40.json"} <= server.files.keys()
    save(folder, 80, "best")
    outputs.send_best()
    assert server.calls.count("upload checkpoints/best.json") == 2


def test_the_manifest_is_sent_when_it_has_changed(server: FakeServer, folder: RunFolder) -> None:
    outputs = outputs_of(server, folder)
    outputs.send_manifest()
    outputs.send_manifest()
    write(folder, "manifest.json", '{"status": "succeeded"}')
    outputs.send_manifest()
    assert server.manifest == {"status": "succeeded"}
    assert server.calls == ["manifest", "manifest"]


def test_a_manifest_that_is_gone_again_is_no_news(server: FakeServer, folder: RunFolder) -> None:
    outputs = outputs_of(server, folder)
    outputs.send_manifest()
    folder.manifest.unlink()  # its child died early, and the next one begins anew
    outputs.send_manifest()
    assert server.manifest == {"status": "running"}


def test_a_better_checkpoint_that_comes_while_one_is_sent_is_not_pointed_at_before_it_is_there(
    server: FakeServer, folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(folder, 40, "best")
    upload = FakeClient.upload_artifact

    def meanwhile(self: FakeClient, run_id: str, name: str, path: Path, lease: str) -> Artifact:
        if name.endswith("agent.safetensors"):
            save(folder, 80, "best")
        return upload(self, run_id, name, path, lease)

    monkeypatch.setattr(FakeClient, "upload_artifact", meanwhile)
    outputs = outputs_of(server, folder)
    outputs.send_best()
    assert json.loads(server.files["checkpoints/best.json"]) == {"path": first}
    assert f"checkpoints/{first}/agent.safetensors" in server.files
    outputs.send_best()
    assert json.loads(server.files["checkpoints/best.json"]) == {"path": "step_000000000080"}


def test_a_long_run_keeps_two_of_its_bests_on_the_server_and_what_it_can_go_on_from(
    server: FakeServer, folder: RunFolder
) -> None:
    server.files["checkpoints/step_000000000020/replay.safetensors"] = b"of the attempt before"
    outputs = outputs_of(server, folder)
    for step in (20, 40, 60, 80):
        save(folder, step, "best")
        outputs.send_best()
    kept = {name.split("/")[1] for name in server.files if name.startswith("checkpoints/step")}
    assert kept == {"step_000000000020", "step_000000000060", "step_000000000080"}
