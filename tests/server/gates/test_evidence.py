"""Stored runs as gates see them: the same numbers as in their files."""

import math

import numpy as np
import pytest

from dreamer_core.gates.records import run_from_records
from server.database import Database
from server.errors import ConflictError, NotFoundError
from server.gates import evidence
from server.metrics.layout import Layout
from server.tables import RunKind, RunState
from tests.server.factories import NOW, a_run
from tests.server.gates.scored import FAMILY, GROUP, a_scored_run, a_seed_group
from tests.server.metrics.sending import send

RECORDS = [
    {"env_steps": 10, "train_steps": 1, "wall_time_s": 0.25, "loss": 0.5},
    {"env_steps": 30, "loss": math.nan, "eval/x": 7.0},
    {"env_steps": 20, "train_steps": 2, "loss": -math.inf},
    {"env_steps": 30, "loss": 0.25},
]


def test_the_numbers_of_a_stored_run_are_those_of_its_records(database: Database) -> None:
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, RECORDS)
    with database.reading() as session:
        found = evidence.numbers_of(session, run)
    expected = run_from_records(RECORDS, name=run.id)
    np.testing.assert_array_equal(found.record_steps, expected.record_steps)
    assert sorted(found.series) == sorted(expected.series)
    for key, series in expected.series.items():
        for column in ("steps", "values", "records"):
            np.testing.assert_array_equal(getattr(found.of(key), column), getattr(series, column), err_msg=key)


@pytest.mark.parametrize("keys", [["loss"], ["eval/x", "wall_time_s"], ["nothing"], []])
def test_some_of_the_numbers_are_those_of_all_of_them(database: Database, keys: list[str]) -> None:
    with database.writing() as session:
        run = a_run(session)
        send(session, run.id, 0, RECORDS, Layout(chunk=2, span=2, fan=2, tail_row=1, tail_points=1))
    with database.reading() as session:
        every, some = evidence.numbers_of(session, run), evidence.numbers_of(session, run, keys)
    np.testing.assert_array_equal(some.record_steps, every.record_steps)
    assert sorted(some.series) == sorted(key for key in keys if key in every.series)
    for key, series in some.series.items():
        for column in ("steps", "values", "records"):
            np.testing.assert_array_equal(getattr(series, column), getattr(every.of(key), column), err_msg=key)


def test_a_run_without_records_has_no_numbers(database: Database) -> None:
    with database.writing() as session:
        found = evidence.numbers_of(session, a_run(session))
    assert (found.series, len(found.record_steps)) == ({}, 0)


def test_what_a_manifest_says_is_known_of_the_numbers(database: Database) -> None:
    manifest = {
        "source": {"commit": "1a2b3c4", "dirty": True},
        "runtime": {"cpu": "Xeon", "threads": 2, "device": None, "other": 1},
        "artifacts": {"best": None, "last": {"sha256": "ab" * 32}},
    }
    with database.writing() as session:
        run = a_run(session, family=FAMILY, manifest=manifest, config={"algo": {"horizon": 15}}, state=RunState.FAILED)
        facts = evidence.facts_of(run)
    assert (facts.commit, facts.dirty, facts.status, facts.family) == ("1a2b3c4", True, "failed", FAMILY)
    assert facts.testbed == {"cpu": "Xeon", "threads": "2"}
    assert facts.checkpoint_sha256 == "ab" * 32
    assert facts.config == {"algo.horizon": 15}


def test_a_manifest_of_another_shape_says_nothing(database: Database) -> None:
    with database.writing() as session:
        run = a_run(session, manifest={"source": [1], "runtime": "fast", "artifacts": {"best": 3}})
        facts = evidence.facts_of(run)
    assert (facts.commit, facts.dirty, facts.testbed, facts.checkpoint_sha256) == ("", None, {}, "")


def test_evaluations_are_summaries_and_trainings_are_not(database: Database) -> None:
    with database.writing() as session:
        looked = a_scored_run(session, [500.0], kind=RunKind.EVAL)
        trained = a_scored_run(session, [1.0, 2.0], kind=RunKind.TRAIN)
        assert evidence.group_of(session, [looked]).input_kind == "json"
        assert evidence.group_of(session, [looked, trained]).input_kind == "jsonl"


def test_who_never_began_is_no_seed_of_its_group(database: Database) -> None:
    with database.writing() as session:
        ids = a_seed_group(session, [1, 2])
        a_run(session, seed=2, seed_group=GROUP, state=RunState.CANCELLED)
        begun = a_run(session, seed=3, seed_group=GROUP, state=RunState.CANCELLED, started_at=NOW)
    with database.reading() as session:
        assert {run.id for run in evidence.chosen(session, [], GROUP)} == {*ids, begun.id}


def test_a_seed_group_is_all_its_runs_but_the_deleted(database: Database) -> None:
    with database.writing() as session:
        ids = a_seed_group(session, [1, 2, 3])
        a_scored_run(session, [1.0], seed=9, deleted_at=NOW)
        assert sorted(run.id for run in evidence.chosen(session, ids[:1], GROUP)) == sorted(ids)


def test_runs_that_are_not_there_or_deleted_cannot_be_chosen(database: Database) -> None:
    with database.writing() as session:
        gone = a_run(session, deleted_at=NOW).id
        with pytest.raises(NotFoundError, match="run 'nobody'"):
            evidence.chosen(session, ["nobody"], None)
        with pytest.raises(NotFoundError, match="seed group"):
            evidence.chosen(session, [], "abc")
        with pytest.raises(ConflictError, match="is deleted"):
            evidence.chosen(session, [gone], None)
