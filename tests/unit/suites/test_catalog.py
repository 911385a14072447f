"""The suites that come with the package are whole: every gate is used, every metric known, every word loads."""

from dataclasses import fields
from fnmatch import fnmatchcase

import pytest

from dreamer_core.config import load_config
from dreamer_core.errors import UsageError
from dreamer_core.gates.check import Check
from dreamer_core.metrics.names import METRICS
from dreamer_core.suites import Suite, suite_from_mapping, suite_from_yaml, suite_to_mapping
from dreamer_core.suites.catalog import describe_shipped, read_shipped, shipped_names

_NAMING = ("key", "keys", "post", "prior")


def shipped(name: str) -> Suite:
    return suite_from_yaml(read_shipped(name))


def metrics_of(check: Check) -> list[str]:
    values = [getattr(check, field.name) for field in fields(check) if field.name in _NAMING]
    return [name for value in values for name in ([value] if isinstance(value, str) else value)]


def test_three_suites_are_shipped() -> None:
    assert shipped_names() == ["cartpole", "cpu-daily", "gpu-main"]


@pytest.mark.parametrize("name", shipped_names())
def test_its_first_line_says_what_it_is_for(name: str) -> None:
    assert read_shipped(name).startswith("# ")
    assert 20 < len(describe_shipped()[name]) < 120


@pytest.mark.parametrize("name", shipped_names())
def test_it_is_called_as_its_file_and_uses_all_its_gates(name: str) -> None:
    suite = shipped(name)
    assert suite.name == name
    assert suite.unused_gates == ()
    assert suite.question
    assert suite_from_mapping(suite_to_mapping(suite)) == suite


@pytest.mark.parametrize("name", shipped_names())
def test_every_metric_that_it_names_is_known(name: str) -> None:
    for gate in shipped(name).gates:
        for check in gate.checks:
            for asked in metrics_of(check):
                assert any(fnmatchcase(known, asked) for known in METRICS), asked


@pytest.mark.parametrize("name", shipped_names())
def test_every_training_ends_in_the_queue_that_its_device_is_in(name: str) -> None:
    for scenario in shipped(name).scenarios:
        if scenario.jobs:
            assert {"cpu": "cpu", "cuda": "gpu"}[load_config(scenario.words).device] == scenario.queue


@pytest.mark.parametrize("name", shipped_names())
def test_a_training_logs_often_enough_for_its_gates(name: str) -> None:
    """An early trend needs records: a gate that never has enough of them could never be green."""
    suite = shipped(name)
    gates = {gate.name: gate for gate in suite.gates}
    for scenario in suite.scenarios:
        for use in scenario.gates:
            for check in gates[use.gate].checks if use.of == "train" else ():
                first, n_min = getattr(check, "first_updates", None), getattr(check, "n_min", 1)
                algo, run = load_config(scenario.words).algo, load_config(scenario.words).run
                steps = algo.total_steps - algo.learning_starts
                seen = steps if first is None else min(steps, first / algo.replay_ratio)
                assert seen / run.log_every >= n_min or check.kind in ("hold", "change_point"), (scenario.name, check)


def test_an_unknown_one_is_refused_with_the_known_names() -> None:
    with pytest.raises(UsageError, match="no suite 'daily' in the package; there are cartpole, cpu-daily, gpu-main"):
        read_shipped("daily")
