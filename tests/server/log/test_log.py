"""The log of an experiment over REST, on rows as they come to be."""

import math
from typing import Any

import pytest
from starlette.testclient import TestClient

from dreamer_core.gates import Verdict
from server.configs.resolve import resolve
from server.database import Database
from server.log.finals import MOST_VALUES
from server.log.routes import file_name
from server.tables import GateResult, GateResultRun, RunKind, RunState
from tests.server.factories import NOW, a_job, a_run, an_experiment
from tests.server.fakes import SetClock
from tests.server.gates.scored import KEY, a_scored_run, a_seed_group
from tests.server.metrics.sending import send

API = "/api/v1"


def log_of(client: TestClient, database: Database, name: str = "default", **params: Any) -> dict[str, Any]:
    with database.writing() as session:
        experiment_id = an_experiment(session, name).id
    answer = client.get(f"{API}/experiments/{experiment_id}/log", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def a_config(*words: str) -> dict[str, Any]:
    return resolve(["preset=cartpole", *words]).config


def test_an_empty_experiment_has_an_empty_log(client: TestClient, database: Database) -> None:
    log = log_of(client, database)
    assert (log["experiment"]["name"], log["groups"], log["left_out"]) == ("default", [], 0)


def test_the_system_fills_in_the_results(client: TestClient, database: Database) -> None:
    """Five evaluations at steps 1,000 to 5,000: only the last is in the last tenth."""
    with database.writing() as session:
        ids = a_seed_group(session, [100.0, 200.0, 400.0, 500.0], primary_metric=KEY, env_steps=5000, train_steps=500)
    group = log_of(client, database)["groups"][0]
    assert [(run["id"], run["seed"], run["env_steps"]) for run in group["runs"]] == [
        (run_id, seed, 5000) for seed, run_id in enumerate(ids)
    ]
    assert [run["values"] for run in group["runs"]][2] == {KEY: 400.0, "Loss/world_model_loss": 2.0}
    first, second = group["columns"]
    assert (first["key"], first["is_primary"], first["direction"]) == (KEY, True, "higher")
    assert first["summary"] == {"n": 4, "not_finite": 0, "median": 300.0, "iqm": 300.0, "min": 100.0, "max": 500.0}
    assert (second["key"], second["is_primary"]) == ("Loss/world_model_loss", False)


def test_a_value_is_the_lower_median_of_the_last_tenth(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, [{"env_steps": step, KEY: float(step)} for step in range(1, 101)])
    assert log_of(client, database)["groups"][0]["runs"][0]["values"] == {KEY: 95.0}  # of 90, 91 ... 100


def test_a_benchmark_is_what_its_middle_lap_is(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session, kind=RunKind.BENCH)
        speeds = [10.0, 30.0, 20.0, 90.0]
        send(session, run.id, 0, [{"env_steps": 8 * i, "bench/updates_per_s": one} for i, one in enumerate(speeds)])
    assert log_of(client, database)["groups"][0]["runs"][0]["values"] == {"bench/updates_per_s": 20.0}


def test_of_very_many_values_the_newest_are_looked_at(client: TestClient, database: Database) -> None:
    count = 20 * MOST_VALUES
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, [{"env_steps": step, KEY: float(step)} for step in range(1, count + 1)])
    values = log_of(client, database)["groups"][0]["runs"][0]["values"]
    assert values == {KEY: count - MOST_VALUES / 2}


def test_a_metric_that_ended_early_keeps_its_last_value(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, [{"env_steps": 1, KEY: 7.0}, {"env_steps": 1000, "State/kl": 1.0}])
    assert log_of(client, database)["groups"][0]["runs"][0]["values"] == {KEY: 7.0, "State/kl": 1.0}


def test_what_is_not_finite_is_a_word_and_in_no_median(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        a_scored_run(session, [1.0, math.nan], seed=0)
        a_scored_run(session, [1.0, 3.0], seed=1)
    group = log_of(client, database)["groups"][0]
    assert [run["values"][KEY] for run in group["runs"]] == ["NaN", 3.0]
    summary = group["columns"][0]["summary"]
    assert (summary["n"], summary["not_finite"], summary["median"]) == (1, 1, 3.0)


def test_of_two_runs_with_one_seed_the_newer_counts(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        old = a_scored_run(session, [1.0], seed=0, created_at=NOW - 10).id
        a_scored_run(session, [3.0], seed=0)
    group = log_of(client, database)["groups"][0]
    assert [run["counts"] for run in group["runs"] if run["id"] == old] == [False]
    assert group["columns"][0]["summary"]["median"] == 3.0


def test_groups_come_as_they_began_and_deleted_runs_not_at_all(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        a_run(session, seed_group="2" * 12, name="second", created_at=NOW, started_at=NOW + 5)  # it waited
        a_run(session, seed_group="1" * 12, name="first", created_at=NOW + 1)
        a_run(session, seed_group="1" * 12, name="first", created_at=NOW + 9)
        a_run(session, seed_group="3" * 12, name="gone", deleted_at=NOW)
        a_run(session, seed_group="4" * 12, name="elsewhere", experiment="other")
    assert [group["name"] for group in log_of(client, database)["groups"]] == ["first", "second"]


def test_the_oldest_groups_are_left_out_where_there_are_too_many(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for i in range(3):
            a_run(session, seed_group=str(i) * 12, name=f"g{i}", created_at=NOW + i)
    log = log_of(client, database, groups=2)
    assert ([group["name"] for group in log["groups"]], log["left_out"]) == (["g1", "g2"], 1)


def test_what_differs_is_told_against_most_groups(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for i, words in enumerate((["algo.horizon=12"], ["algo.horizon=12", "seed=3"], ["algo.horizon=7"])):
            columns: dict[str, Any] = {"config": a_config(*words), "preset": "cartpole", "kind": RunKind.TRAIN}
            a_run(session, seed_group=str(i) * 12, created_at=NOW + i, **columns)
    found = [group["changed"] for group in log_of(client, database)["groups"]]
    assert [each["against"] for each in found] == ["preset", "preset", "common"]
    assert found[0]["changes"] == [{"key": "algo.horizon", "before": 15, "after": 12}]
    assert found[2]["changes"] == [{"key": "algo.horizon", "before": 12, "after": 7}]


def test_another_trainers_settings_are_not_told_as_ours_that_it_lacks(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for i in range(2):
            a_run(session, seed_group=str(i) * 12, config={"algo": {"gamma": 0.9, "lr": i}}, created_at=NOW + i)
        a_run(session, seed_group="f" * 12, config={"clip": 0.2}, created_at=NOW + 9)
    foreign = log_of(client, database)["groups"][-1]["changed"]
    assert (foreign["against"], foreign["changes"]) == ("nothing", [])


def test_a_clone_is_told_against_its_parent(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        parent = a_run(session, config={"lr": 1, "commit_of": "x"}, experiment="other", commit="a" * 40)
        first = a_run(session, config={"lr": 2, "commit_of": "x"}, parent_id=parent.id, seed_group="1" * 12)
        a_run(session, config={"lr": 2, "commit_of": "x"}, parent_id=first.id, seed_group="1" * 12)
    changed = log_of(client, database)["groups"][0]["changed"]
    assert (changed["against"], changed["run_id"]) == ("parent", parent.id)
    assert changed["changes"] == [{"key": "lr", "before": 1, "after": 2}]


def test_the_code_that_ran_is_a_change_too(client: TestClient, database: Database) -> None:
    said = [{"source": {"commit": "a" * 40}}, {"source": {"commit": "b" * 40, "dirty": True}}]
    with database.writing() as session:
        for i, manifest in enumerate(said):
            a_run(session, seed_group=str(i) * 12, manifest=manifest, created_at=NOW + i)
    found = [group["changed"] for group in log_of(client, database)["groups"]]
    assert found[1]["commit"] == "bbbbbbbbbb with changes"
    assert found[1]["changes"] == [{"key": "commit", "before": "aaaaaaaaaa", "after": "bbbbbbbbbb with changes"}]


def test_an_evaluation_names_the_run_that_it_looks_at(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        source = a_job(session, state=RunState.SUCCEEDED, experiment="other")
        a_job(session, kind=RunKind.EVAL, parent_id=source.id, config={"lr": 1})
    changed = log_of(client, database)["groups"][0]["changed"]
    assert (changed["against"], changed["run_id"], changed["changes"]) == ("nothing", source.id, [])


def test_words_that_all_seeds_share_are_said_once(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for seed in (0, 1, 2):
            a_run(session, seed=seed, hypothesis="h", conclusion="c" if seed else "", created_at=NOW + seed)
    group = log_of(client, database)["groups"][0]
    assert group["hypothesis"] == [{"text": "h", "seeds": None}]
    assert group["conclusion"] == [{"text": "c", "seeds": [1, 2]}]
    assert group["stop_rule"] == []


def test_verdicts_and_annotations_stand_with_their_group(
    client: TestClient, database: Database, clock: SetClock
) -> None:
    with database.writing() as session:
        ids = a_seed_group(session, [500.0, 500.0])
    said = {"seed_group": "b6d81b360a56"}
    result = client.post(f"{API}/gates/compare/evaluate", json=said).json()
    clock.advance(60)
    client.post(f"{API}/runs/{ids[1]}/annotations", json={"text": "it shakes"})
    group = log_of(client, database)["groups"][0]
    assert [(each["id"], each["verdict"]) for each in group["verdicts"]] == [(result["id"], result["verdict"])]
    assert [(each["seed"], each["text"], each["at"]) for each in group["annotations"]] == [
        (1, "it shakes", "2023-11-14T22:14:20.000+00:00")
    ]


def test_a_verdict_that_a_rerun_took_the_place_of_is_left_out(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run_id = a_run(session).id
        for place, is_final in enumerate((True, False)):
            said: dict[str, Any] = {"gate": "g", "gate_version": 1, "verdict": Verdict.PASS, "reason": ""}
            session.add(GateResult(id=f"r{place}", created_at=NOW, body={}, is_final=is_final, **said))
            session.flush()
            session.add(GateResultRun(result_id=f"r{place}", run_id=run_id))
    assert [each["id"] for each in log_of(client, database)["groups"][0]["verdicts"]] == ["r0"]


def test_a_manifest_of_anybodys_trainer_stops_nothing(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        for i, manifest in enumerate(({"source": []}, {"source": {"commit": 3}}, {"source": {"commit": ""}}, {})):
            a_run(session, seed_group=str(i) * 12, manifest=manifest)
    assert [group["changed"]["commit"] for group in log_of(client, database)["groups"]] == [None] * 4


def test_a_poller_that_has_the_log_gets_nothing(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        experiment_id = an_experiment(session).id
    first = client.get(f"{API}/experiments/{experiment_id}/log")
    same = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{API}/experiments/{experiment_id}/log", headers=same).status_code == 304


def test_markdown_is_a_file_to_keep(client: TestClient, database: Database) -> None:
    with database.writing() as session:
        run = a_scored_run(session, [500.0], name="a_b")
        experiment_id = run.experiment_id
    answer = client.get(f"{API}/experiments/{experiment_id}/log?format=markdown")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="default-log.md"'
    assert "## 1. a\\_b" in answer.text
    assert f"](http://testserver/runs/{run.id})" in answer.text


@pytest.mark.parametrize(
    ("name", "file"), [("Äh, 2/3!", "h-2-3-log.md"), ("…", "experiment-log.md"), ("a\nb", "a-b-log.md")]
)
def test_a_file_name_is_made_of_letters_that_everybody_has(name: str, file: str) -> None:
    assert file_name(name) == file


@pytest.mark.parametrize("query", ["format=pdf", "groups=0", "groups=501", "groups=x"])
def test_what_cannot_be_asked_is_refused(client: TestClient, database: Database, query: str) -> None:
    with database.writing() as session:
        experiment_id = an_experiment(session).id
    assert client.get(f"{API}/experiments/{experiment_id}/log?{query}").status_code == 422


def test_an_experiment_that_there_is_not_has_no_log(client: TestClient) -> None:
    assert client.get(f"{API}/experiments/zzzzzzzzzzzz/log").status_code == 404
    assert client.get(f"{API}/experiments/%F0%9F%90%B4/log").status_code == 404
