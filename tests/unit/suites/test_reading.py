"""Suites as YAML and back: nothing is lost on the way, and what does not fit is refused with its place."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from dreamer_core.errors import ConfigError
from dreamer_core.suites import Suite, suite_from_mapping, suite_from_yaml, suite_to_mapping
from tests.unit.suites.made import SUITES, a_suite

YAML = """
name: daily
version: 3
question: does a commit still learn?
schedule: 0 3 * * *
confirm: 1
stop_early: harm
gates:
  - {name: sound, checks: [{check: finite}]}
  - {name: floor, checks: [{check: floor, key: mean_return, value: 400}]}
scenarios:
  - name: smoke
    words: [preset=cartpole+debug, device=cpu]
    seeds: [0, 1]
    eval: {episodes: 5}
    gates: [{gate: sound}, {gate: floor, of: eval}]
  - {name: parity, posted: true, gates: [{gate: sound, of: posted}]}
"""


def tree(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(YAML)
    return {**found, **changes}


def scenario(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = tree()["scenarios"][0]
    return tree(scenarios=[{**found, **changes}])


@settings(deadline=None)
@given(SUITES)
def test_a_suite_comes_back_the_same(suite: Suite) -> None:
    plain = suite_to_mapping(suite)
    assert suite_from_mapping(plain) == suite
    assert suite_from_mapping(json.loads(json.dumps(plain))) == suite
    assert suite_from_yaml(yaml.safe_dump(plain)) == suite
    assert suite_to_mapping(suite_from_mapping(plain)) == plain


def test_yaml_says_it_all() -> None:
    suite = suite_from_yaml(YAML)
    assert (suite.name, suite.version, suite.confirm, suite.stop_early) == ("daily", 3, 1, "harm")
    assert str(suite.schedule) == "0 3 * * *"
    assert [one.name for one in suite.scenarios] == ["smoke", "parity"]
    assert suite.scenarios[0].eval is not None
    assert (suite.scenarios[0].eval.episodes, suite.scenarios[0].eval.greedy) == (5, True)
    assert (suite.jobs, suite.unused_gates) == (4, ())


def test_what_is_as_by_default_is_not_written() -> None:
    plain = suite_to_mapping(a_suite(gates=a_suite().gates[:1]))
    assert sorted(plain) == ["gates", "name", "scenarios"]
    assert sorted(plain["scenarios"][0]) == ["gates", "name", "words"]
    assert plain["scenarios"][0]["gates"] == [{"gate": "sound", "of": "train"}]


def test_a_suite_without_gates_of_its_own_has_no_list_of_them() -> None:
    use = {"gate": "compare", "of": "train", "baseline": "cartpole"}
    suite = suite_from_mapping(
        {"name": "x", "scenarios": [{"name": "a", "words": ["preset=cartpole"], "gates": [use]}]}
    )
    assert "gates" not in suite_to_mapping(suite)


@pytest.mark.parametrize(
    ("found", "key", "said"),
    [
        ([], "", "a suite is a mapping"),
        (tree(nmae="x"), "nmae", "unknown key"),
        ({"scenarios": []}, "name", "is missing"),
        ({"name": "x"}, "scenarios", "is missing"),
        (tree(name=3), "name", "must be text"),
        (tree(version="new"), "version", "must be a whole number"),
        (tree(confirm=True), "confirm", "must be a whole number"),
        (tree(stop_early="sometimes"), "stop_early", "must be one of never, harm"),
        (tree(schedule=3), "schedule", "must be text like"),
        (tree(schedule="0 3 * *"), "schedule", "five fields"),
        (tree(scenarios={}), "scenarios", "must be a list"),
        (tree(scenarios=None), "scenarios", "at least one scenario"),
        (tree(gates=0), "gates", "must be a list"),
        (tree(gates=[{"name": "sound"}]), "gates[0].checks", "must be a list"),
        (tree(gates=["sound"]), "gates[0]", "a gate is a mapping"),
        (tree(gates=[{"name": "a", "checks": [{"check": "finit"}]}]), "gates[0].checks[0].check", "did you mean"),
        (tree(scenarios=["smoke"]), "scenarios[0]", "must be a section of keys"),
        (tree(scenarios=[{"gates": [{"gate": "sound"}]}]), "scenarios[0].name", "is missing"),
        (scenario(gates=[{"of": "train"}]), "scenarios[0].gates[0].gate", "is missing"),
        (scenario(sedes=[1]), "scenarios[0].sedes", "did you mean scenarios"),
        (scenario(words=["preset=cartpool"]), "scenarios[0].words", "unknown preset"),
        (scenario(words="preset=cartpole"), "scenarios[0].words", "must be a list"),
        (scenario(eval={"episodes": 0}), "scenarios[0].eval.episodes", "at least 1"),
        (scenario(eval=True), "scenarios[0].eval", "must be a section"),
        (scenario(gates=[{"gate": "sound", "of": "tests"}]), "scenarios[0].gates[0].of", "must be one of"),
        (scenario(gates=[{"gate": "sound", "baseline": "a b"}]), "scenarios[0].gates[0].baseline", "must be a name"),
        (scenario(gates=[{"gate": "soudn"}]), "scenarios.smoke.gates", "there is no gate 'soudn'"),
        (scenario(seeds=[1, 1]), "scenarios[0].seeds", "has 1 twice"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(found: Any, key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        suite_from_mapping(found)
    assert caught.value.key == key


@pytest.mark.parametrize("text", ["name: [", "schedule: */5 * * * *", "name: 2026-13-45", "[" * 5000])
def test_what_is_not_yaml_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="not YAML") as caught:
        suite_from_yaml(text)
    assert "\n" not in str(caught.value)


def test_a_key_that_is_written_twice_is_refused_with_its_line() -> None:
    twice = "name: a\nscenarios:\n  - name: b\n    gates: [{gate: strict}]\n    gates: [{gate: lax}]\n"
    with pytest.raises(ConfigError, match="gates: is written twice, again in line 5"):
        suite_from_yaml(twice)


def test_a_key_that_is_a_list_is_not_yaml_for_us() -> None:
    with pytest.raises(ConfigError, match=r"not YAML: .* unhashable key"):
        suite_from_yaml("? [a, b]\n: 1\n")
