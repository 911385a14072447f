"""Baselines, gates and suites between the client and the real server: what one asks, the other answers."""

import json
import time

import pytest

from dreamer_core.remote import Client, Conflict, NotFound, RemoteError
from dreamer_core.remote.suite_shapes import SuiteRunDetail
from tests.remote.judged import FLOOR, KEY, a_suite, parity_suite, scored, work


def until_final(client: Client, suite_run_id: str) -> SuiteRunDetail:
    """The server's timer judges what is over."""
    deadline = time.monotonic() + 20
    while not (run := client.get_suite_run(suite_run_id)).is_final:
        assert time.monotonic() < deadline, run
        time.sleep(0.05)
    return run


def test_a_baseline_is_blessed_shown_and_retired(client: Client) -> None:
    runs = scored(client, [480, 490, 500, 470], "blessed")
    made = client.bless("a-base", runs=runs, keys=[KEY], window={"last": 1}, threshold_pct=0.2, who="ada")
    assert (made.title, made.seeds, sorted(made.runs), made.who) == ("a-base v1", 4, sorted(runs), "ada")
    found = client.get_baseline("a-base")
    assert (found.threshold_pct, found.metrics[KEY].median, found.metrics[KEY].n) == (0.2, 480.0, 4)
    assert [one["seed"] for one in found.metrics[KEY].runs] == [0, 1, 2, 3]
    with pytest.raises(Conflict, match="why"):
        client.bless("a-base", runs=runs, keys=[KEY])
    again = client.bless("a-base", runs=runs, keys=[KEY], why="the whole curve")
    assert [one.version for one in client.baseline_versions("a-base")] == [2, 1]
    assert client.diff_baselines("a-base", 1)["after"] == "a-base v2"
    assert client.retire_baseline("a-base", again.version, "by mistake").retired_why == "by mistake"
    assert client.get_baseline("a-base").version == 1
    assert client.restore_baseline("a-base", 2).retired_at is None
    assert [one.version for one in client.baselines("a-bas")] == [2]
    assert client.baselines("a-bas", retired=True) == ()


def test_a_seed_group_can_be_blessed(client: Client) -> None:
    [run_id, *_] = scored(client, [480, 490, 500, 470], "a group")
    group = client.get_run(run_id).seed_group
    assert client.bless("of-a-group", seed_group=group, keys=[KEY]).seeds >= 4


def test_a_single_seed_is_refused_unless_it_is_allowed(client: Client) -> None:
    [run_id] = scored(client, [500], "single")
    with pytest.raises(Conflict, match="single"):
        client.bless("single", runs=[run_id], keys=[KEY])
    assert client.bless("single", runs=[run_id], keys=[KEY], allow=["single_seed"]).flags == ("single_seed",)


def test_a_baseline_goes_out_as_a_file_and_comes_in_again(client: Client) -> None:
    client.bless("outgoing", runs=scored(client, [480, 490, 500, 470], "files"), keys=[KEY])
    text = client.export_baseline("outgoing")
    assert json.loads(text)["dreamgate"]["name"] == "outgoing"
    assert "dreamgate" not in json.loads(client.export_baseline("outgoing", 1, "seed"))
    assert client.import_baseline("incoming", text, who="bob", why="moved").title == "incoming v1"
    with pytest.raises(RemoteError, match="content"):
        client.import_baseline("broken", "{")


def test_a_gate_is_kept_and_judges_runs_and_numbers(client: Client) -> None:
    gate = client.apply_gate({**FLOOR, "name": "a-gate", "directions": {"my/score": "higher"}}, source="gates/a.yaml")
    assert (gate.version, gate.source, gate.directions) == (1, "gates/a.yaml", {"my/score": "higher"})
    assert client.get_gate("a-gate") == client.get_gate("a-gate", 1) == gate
    assert "a-gate" in [one.name for one in client.gates()]
    assert client.get_gate("compare").created_at is None
    runs = scored(client, [480, 490, 500, 470], "judged")
    made = client.evaluate_gate("a-gate", runs=runs, commit="1a2b3c4")
    assert (made.verdict, made.green, made.commit, made.results[0].key) == ("pass", True, "1a2b3c4", KEY)
    assert made.results[0].numbers["bound"] == 400
    assert client.get_gate_result(made.id) == made
    assert [one.id for one in client.gate_results(gate="a-gate", verdict="pass", run=runs[0], limit=5).items] == [
        made.id
    ]
    client.bless("judged", runs=runs, keys=[KEY])
    against = client.evaluate_gate("compare", runs=runs, baseline="judged@1")
    assert against.baseline is not None
    assert (against.verdict, against.baseline.name) == ("pass", "judged")
    numbers = [{"name": "mine", "seed": 0, "records": [{KEY: 10.0}]}]
    assert client.evaluate_gate("a-gate", numbers=numbers, version=1).verdict == "fail"


def test_a_changed_gate_needs_a_new_version(client: Client) -> None:
    client.apply_gate({**FLOOR, "name": "b-gate"})
    with pytest.raises(Conflict, match=r"Give it version 2\."):
        client.apply_gate({"name": "b-gate", "checks": [{"check": "finite"}]})
    with pytest.raises(NotFound):
        client.evaluate_gate("nobody", runs=scored(client, [1], "judged"))


def test_a_suite_goes_from_its_file_to_its_verdict(client: Client) -> None:
    suite = client.apply_suite(a_suite("whole", question="does it?"), source="ci/whole.yaml")
    assert (suite.version, suite.source, suite.question, suite.latest) == (1, "ci/whole.yaml", "does it?", None)
    assert (suite.scenarios[0].jobs, suite.scenarios[0].gates[0].gate) == (1, "floor")
    run = client.start_suite("whole", commit="1a2b3c4", branch="main", who="ada")
    assert (run.state, run.verdict, run.green, run.jobs.total) == ("running", None, None, 1)
    assert run.scenarios[0].waits_for == "1 of 1 jobs"
    work(client, "whole", [450.0])
    ended = until_final(client, run.id)
    assert (ended.state, ended.verdict, ended.green) == ("finished", "pass", True)
    [result] = ended.scenarios[0].results
    assert (result.suite_run_id, result.scenario) == (run.id, "cart")
    assert client.get_gate_result(result.id).results[0].verdict == "pass"
    assert [one.id for one in client.list_suite_runs(suite="whole", commit="1a2b", branch="main").items] == [run.id]
    latest = client.get_suite("whole", 1).latest
    assert latest is not None
    assert latest.id == run.id
    assert "whole" in [one.name for one in client.suites()]
    assert "whole: pass" in client.suite_badge("whole", "main")


def test_numbers_are_posted_to_the_scenario_that_waits_for_them(client: Client) -> None:
    client.apply_suite(parity_suite("posted"))
    run = client.start_suite("posted")
    assert run.scenarios[0].waits_for == "numbers that somebody must post"
    client.post_numbers(run.id, "tests", parity=[{"name": "kl", "error": 1e-3, "tolerance": 1e-6}])
    assert until_final(client, run.id).verdict == "fail"
    with pytest.raises(RemoteError):
        client.post_numbers(run.id, "nobody", parity=[{"name": "kl", "error": 0, "tolerance": 0}])


def test_a_cancelled_suite_is_over_and_not_green(client: Client) -> None:
    client.apply_suite(a_suite("cancelled"))
    run = client.start_suite("cancelled")
    found = client.cancel_suite_run(run.id)
    assert (found.state, found.verdict, found.is_final) == ("cancelled", "skipped", True)
    assert client.get_run(run.scenarios[0].runs[0].run_id).state == "cancelled"


def test_a_suite_that_is_none_is_refused_with_its_place(client: Client) -> None:
    with pytest.raises(RemoteError, match="unknown preset") as caught:
        client.apply_suite(a_suite("wrong", scenarios=[{**a_suite("x")["scenarios"][0], "words": ["preset=nobody"]}]))
    assert caught.value.where == "suite.scenarios[0].words"
    with pytest.raises(NotFound):
        client.start_suite("nobody")


def test_webhooks_are_added_with_a_secret_and_removed(client: Client) -> None:
    made = client.add_webhook("http://127.0.0.1:9/hook", ["whole"])
    assert made.secret
    [found] = [one for one in client.webhooks() if one.id == made.id]
    assert (found.secret, found.suites) == (None, ("whole",))
    assert client.webhook_deliveries(made.id) == ()
    client.remove_webhook(made.id)
    assert made.id not in [one.id for one in client.webhooks()]
