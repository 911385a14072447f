"""One job from its claim to its end, with a real child and a server in memory."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dreamer_core.remote.worker_messages import Claim
from tests.worker.fakes import RUN, FakeServer, a_claim
from worker import delivery, early_outputs
from worker.slots import Seat
from worker.stopping import Why
from worker.supervise import Supervision
from worker.tools import Tools

SEAT = Seat((), 1)
Pretend = Callable[..., None]


def supervise(tools: Tools, claim: Claim | None = None) -> Supervision:
    return Supervision(tools, claim or a_claim(), SEAT)


def run_aside(supervision: Supervision) -> threading.Thread:
    thread = threading.Thread(target=supervision.run)
    thread.start()
    return thread


def wait_for(is_time: Callable[[], object], timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_time():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.02)


def series(server: FakeServer) -> list[dict[str, Any]]:
    return [{key: value for key, value in record.items() if key != "wall_time_s"} for record in server.records]


def expected(records: int) -> list[dict[str, Any]]:
    return [{"env_steps": 10 * n, "train_steps": n, "loss": 1 / n} for n in range(1, records + 1)]


def pid_of(supervision: Supervision) -> int:
    child = supervision._watch.child
    assert child is not None
    return child.pid


def test_how_far_a_job_came_is_told_before_its_end(tools: Tools, server: FakeServer, pretend_core: Pretend) -> None:
    supervise(tools).run()
    _, progress = server.beats[-1]
    assert progress is not None
    assert progress.env_steps == server.records[-1]["env_steps"]


def test_a_job_ends_with_all_its_numbers_events_files_and_words(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    supervise(tools).run()
    [ending] = server.endings
    assert (ending.outcome, ending.exit_code) == ("succeeded", 0)
    assert ending.peak["rss_mib"] > 1
    assert series(server) == expected(10)
    assert [event["message"] for event in server.events] == ["record 3", "record 6", "record 9"]
    assert server.log.decode().splitlines()[0] == "training begins"
    assert {"manifest.json", "config.json", "checkpoints/last.json", "packages.txt"} <= server.files.keys()
    assert not any("replay" in name or name.endswith(".jsonl") for name in server.files)
    assert server.manifest is not None
    assert server.manifest["status"] == "succeeded"
    assert list((tools.places.runs / ".worker" / "jobs").iterdir()) == []


def test_a_child_killed_in_the_middle_goes_on_and_the_series_is_that_of_an_undisturbed_run(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=20, save=8, die=15, pause_s=0.1)  # long enough that 9 to 15 were sent before
    supervise(tools).run()
    assert [ending.outcome for ending in server.endings] == ["succeeded"]
    assert series(server) == expected(20)
    assert len(server.events) == 6
    assert (8, 2) in server.rewinds
    assert "its process died (exit code -9), time 1" in server.log.decode()


def test_a_child_that_dies_again_and_again_fails_at_last(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(die=6, deaths=9)
    supervise(tools).run()
    [ending] = server.endings
    assert (ending.outcome, ending.reason) == ("failed", "Its process died 4 times.")
    assert "out of memory?" in str(ending.error)


def test_a_child_that_breaks_ends_the_job_with_its_first_error(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(fail=5)
    supervise(tools).run()
    [ending] = server.endings
    assert (ending.outcome, ending.error, ending.exit_code) == ("failed", "ValueError: it broke", 4)
    assert len(server.records) == 5
    assert "it broke" in server.log.decode()


def test_a_cancelled_job_saves_its_state_first(tools: Tools, server: FakeServer, pretend_core: Pretend) -> None:
    pretend_core(records=2000, save=1000)
    thread = run_aside(supervise(tools))
    wait_for(lambda: len(server.records) > 3)
    server.cancels = True
    thread.join(20)
    [ending] = server.endings
    assert (ending.outcome, ending.reason, ending.exit_code) == ("cancelled", "It was cancelled.", 75)
    assert "checkpoints/last.json" in server.files


def test_a_job_cancelled_before_its_child_began_has_none(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    supervision = supervise(tools)
    supervision.order.ask(Why.CANCEL, "It was cancelled.")
    supervision.run()
    assert [ending.outcome for ending in server.endings] == ["cancelled"]
    assert not tools.places.run(RUN).path.exists()


def test_a_child_that_does_not_stop_is_killed_when_its_time_is_over(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=2000, deaf=True)
    supervision = supervise(replace(tools, settings=replace(tools.settings, grace_s=0.5)))
    thread = run_aside(supervision)
    wait_for(lambda: server.records)
    supervision.order.ask(Why.CANCEL, "It was cancelled.")
    thread.join(20)
    assert [(ending.outcome, ending.exit_code) for ending in server.endings] == [("cancelled", -9)]


def test_a_job_over_its_limit_saves_stops_and_says_why(tools: Tools, server: FakeServer, pretend_core: Pretend) -> None:
    pretend_core(records=2000, mib=200)
    supervise(tools, a_claim(limits={"rss_mib": 100})).run()
    [ending] = server.endings
    assert (ending.outcome, ending.exit_code) == ("limited", 75)
    assert "MiB of memory; its limit is 100." in str(ending.reason)
    assert "checkpoints/last.json" in server.files


def test_a_job_that_is_not_ours_any_more_is_stopped_and_dropped_without_a_word(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=2000)
    supervision = supervise(tools)
    thread = run_aside(supervision)
    wait_for(lambda: len(server.records) > 3)
    server.is_lost = True
    thread.join(20)
    assert not thread.is_alive()
    assert supervision._watch.child is not None
    assert supervision._watch.child.poll() == 75
    assert server.endings == []


def test_while_the_server_is_away_training_goes_on_and_nothing_is_lost(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=40)
    thread = run_aside(supervise(tools))
    wait_for(lambda: len(server.records) > 3)
    server.is_away = True
    wait_for(lambda: (tools.places.run(RUN).metrics).read_bytes().count(b"\n") == 40)
    time.sleep(0.5)
    assert len(server.records) < 40
    server.is_away = False
    thread.join(30)
    assert series(server) == expected(40)
    assert [ending.outcome for ending in server.endings] == ["succeeded"]


def test_a_drained_job_leaves_all_that_another_worker_needs_to_go_on(
    tools: Tools, server: FakeServer, pretend_core: Pretend, tmp_path: Path
) -> None:
    pretend_core(records=60, save=10)
    supervision = supervise(tools)
    thread = run_aside(supervision)
    wait_for(lambda: len(server.records) > 12)
    supervision.order.ask(Why.DRAIN, "Its worker was asked to go.")
    thread.join(20)
    assert [ending.outcome for ending in server.endings] == ["drained"]
    assert any(name.endswith("replay.safetensors") for name in server.files)
    assert {"metrics.jsonl", "events.jsonl"} <= server.files.keys()
    elsewhere = replace(tools, places=type(tools.places)(tmp_path / "elsewhere"))
    kept = len(server.records)
    claim = a_claim(attempt=2, records=kept, events=len(server.events), log_bytes=len(server.log))
    supervise(elsewhere, claim).run()
    assert [ending.outcome for ending in server.endings] == ["drained", "succeeded"]
    assert f"training continues after {kept} records" in server.log.decode()
    assert series(server) == expected(60)
    assert not any("replay" in name or name.endswith(".jsonl") for name in server.files)


def test_a_second_attempt_goes_on_where_the_first_left_its_folder(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=20, save=8, pause_s=0.1)
    first = supervise(tools)
    thread = run_aside(first)
    wait_for(lambda: len(server.records) >= 12)
    server.is_lost = True  # as if its worker had been killed: it says nothing more
    os.kill(pid_of(first), signal.SIGKILL)
    thread.join(20)
    server.is_lost = False
    supervise(tools, a_claim(attempt=2, records=len(server.records), events=len(server.events))).run()
    assert series(server) == expected(20)
    assert len(server.events) == 6
    assert server.rewinds[-1] in ((8, 2), (16, 5))  # whichever checkpoint it had come to


def test_an_orphan_that_is_still_saving_is_waited_for(tools: Tools, server: FakeServer, pretend_core: Pretend) -> None:
    pretend_core(records=6, save=2)
    supervise(tools).run()
    folder = tools.places.run(RUN)
    with folder.locked():
        thread = run_aside(supervise(tools, a_claim(attempt=2, records=6, events=2)))
        time.sleep(0.6)
        assert len(server.endings) == 1
    thread.join(20)
    assert [ending.outcome for ending in server.endings] == ["succeeded", "succeeded"]
    assert series(server) == expected(6)


def test_a_job_that_is_to_start_afresh_forgets_what_lies_in_its_folder(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=6, save=2)
    supervise(tools).run()
    server.records, server.events = [], []
    pretend_core(records=4)
    supervise(tools, a_claim(attempt=2, fresh=True, log_bytes=len(server.log))).run()
    assert series(server) == expected(4)
    assert server.log.decode().count("training begins") == 2
    assert {name.split("/")[1] for name in server.files if name.startswith("checkpoints/step")} == {"step_000000000040"}


def test_one_that_dies_after_it_started_afresh_goes_on_from_its_new_checkpoint(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=12, save=4, die=6)
    supervise(tools, a_claim(fresh=True)).run()
    assert series(server) == expected(12)
    assert "training continues after 4 records" in server.log.decode()


def test_a_commit_without_a_repository_is_refused_with_the_reason(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    supervise(tools, a_claim(commit="abc1234")).run()
    [ending] = server.endings
    assert (ending.outcome, ending.reason) == ("failed", "It could not be started.")
    assert "no source repository and cannot run commit abc1234" in str(ending.error)


def test_the_token_is_not_given_to_the_child(
    tools: Tools, server: FakeServer, pretend_core: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TOKEN", "SOURCE_REPO", "LOGIN_CODE"):
        monkeypatch.setenv(f"DREAMGATE_{name}", "secret")
    pretend_core(records=200)
    supervision = supervise(tools)
    thread = run_aside(supervision)
    wait_for(lambda: server.records)
    environment = Path(f"/proc/{pid_of(supervision)}/environ").read_bytes()
    supervision.order.ask(Why.CANCEL, "enough")
    thread.join(20)
    assert b"secret" not in environment
    assert b"CUDA_VISIBLE_DEVICES=\0" in environment


def test_while_it_trains_its_best_checkpoint_and_its_manifest_are_already_on_the_server(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=2000, save=10)
    supervision = supervise(tools)
    thread = run_aside(supervision)
    wait_for(lambda: "checkpoints/best.json" in server.files)
    assert server.manifest is not None
    assert server.manifest["status"] == "running"
    supervision.order.ask(Why.CANCEL, "enough")
    thread.join(20)


def test_a_server_without_room_for_files_does_not_keep_a_job_from_ending(
    tools: Tools, server: FakeServer, pretend_core: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_FILES_S", 0.1)
    server.is_full = True
    supervise(tools).run()
    assert [ending.outcome for ending in server.endings] == ["succeeded"]
    assert series(server) == expected(10)
    assert "not all files could be sent, they stay where they are" in server.log.decode()
    assert tools.places.run(RUN).metrics.exists()


def test_an_end_that_the_server_breaks_of_is_told_again(
    tools: Tools, server: FakeServer, pretend_core: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_AGAIN_S", 0.05)
    server.breaks = 2
    supervise(tools).run()
    assert [ending.outcome for ending in server.endings] == ["succeeded"]


def test_an_end_that_the_server_always_breaks_of_is_given_up(
    tools: Tools, server: FakeServer, pretend_core: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_AGAIN_S", 0.05)
    monkeypatch.setattr(delivery, "_REFUSED_S", 0.5)
    server.breaks = 10**6
    thread = run_aside(supervise(tools))
    thread.join(20)
    assert not thread.is_alive()


def test_a_child_that_dies_before_its_first_checkpoint_does_not_take_the_early_outputs_along(
    tools: Tools, server: FakeServer, pretend_core: Pretend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(early_outputs, "_LOOK_S", 0.02)
    died = tools.places.runs / "died"
    pretend_core(records=2000, save=10, die_once=str(died), pause_s=0.05)
    supervision = supervise(tools)
    thread = run_aside(supervision)
    wait_for(lambda: died.exists() and "checkpoints/best.json" in server.files)
    supervision.order.ask(Why.CANCEL, "enough")
    thread.join(20)
    assert [ending.outcome for ending in server.endings] == ["cancelled"]


def test_the_end_of_an_attempt_that_lost_its_lease_leaves_the_papers_of_the_next_one(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    pretend_core(records=40, save=10)
    first = supervise(tools)
    thread = run_aside(first)
    wait_for(lambda: len(server.records) > 12)
    first.order.ask(Why.LOST, "its lease was lost, as after a network that was away")
    second = supervise(tools, a_claim(attempt=2, records=len(server.records), events=len(server.events)))
    second.run()
    thread.join(20)
    assert [ending.outcome for ending in server.endings] == ["succeeded"]
    assert series(server) == expected(40)


def test_a_job_whose_state_is_nowhere_begins_anew_and_says_so(
    tools: Tools, server: FakeServer, pretend_core: Pretend
) -> None:
    server.records = [{"env_steps": 10}, {"env_steps": 20}]
    supervise(tools, a_claim(attempt=2, records=2)).run()
    assert series(server) == expected(10)
    assert "there is no state to go on from, here or on the server: it begins anew" in server.log.decode()
