"""Gates as data: read, written, and refused with a word about what is wrong."""

from typing import Any

import pytest
import yaml

from dreamer_core.errors import ConfigError
from dreamer_core.gates.checks import CHECKS
from dreamer_core.gates.checks.hold import Hold
from dreamer_core.gates.checks.threshold_median import ThresholdMedian
from dreamer_core.gates.series import Window
from dreamer_core.gates.spec import gate_from_mapping, gate_from_yaml, gate_to_mapping

TEXT = """
name: cartpole
version: 3
directions: {my/score: higher}
checks:
  - check: finite
    keys: [Loss/*]
  - {check: hold, level: 475, keep: 400, name: no collapse}
  - check: threshold_median
    threshold_pct: 1e-1
    window: {last: 25}
  - check: change_point
    keys: [sps]
  - check: parity
    skip: no fixtures here
    required: false
"""


def test_a_gate_is_read_from_yaml() -> None:
    gate = gate_from_yaml(TEXT)
    assert (gate.name, gate.version, gate.directions) == ("cartpole", 3, {"my/score": "higher"})
    assert [check.kind for check in gate.checks] == ["finite", "hold", "threshold_median", "change_point", "parity"]
    assert gate.checks[1] == Hold(level=475.0, keep=400.0, name="no collapse")
    assert gate.checks[2] == ThresholdMedian(threshold_pct=0.1, window=Window(last=25))
    assert [check.required for check in gate.checks] == [True, True, True, False, False]


def test_a_gate_is_written_as_it_was_read() -> None:
    gate = gate_from_yaml(TEXT)
    tree = gate_to_mapping(gate)
    assert gate_from_mapping(tree) == gate
    assert gate_from_yaml(yaml.safe_dump(tree)) == gate
    assert tree["checks"][0] == {"check": "finite", "keys": ["Loss/*"]}
    assert tree["checks"][2] == {"check": "threshold_median", "threshold_pct": 0.1, "window": {"last": 25}}


def test_defaults_are_not_written() -> None:
    gate = gate_from_mapping({"name": "g", "checks": [{"check": "finite"}]})
    assert gate_to_mapping(gate) == {"name": "g", "version": 1, "checks": [{"check": "finite"}]}


def test_every_check_has_its_word() -> None:
    assert set(CHECKS) == {
        "threshold_median", "finite", "entropy_gap", "improves", "replay_ratio", "floor", "ceiling", "hold",
        "time_to_threshold", "seeds_bootstrap", "throughput", "change_point", "parity",
    }  # fmt: skip


def one(**check: Any) -> dict[str, Any]:
    return {"name": "g", "checks": [check]}


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        ([], "a gate is a mapping with name and checks, got []"),
        ({"name": "g", "check": []}, "check: unknown key; did you mean checks?; a gate has name, version"),
        ({"checks": []}, "name: must be text, got None"),
        ({"name": "g", "version": "x", "checks": []}, "version: must be a whole number, got 'x'"),
        ({"name": "g", "version": True, "checks": []}, "version: must be a whole number, got True"),
        ({"name": "g"}, "checks: must be a list, got None"),
        ({"name": "g", "checks": []}, "checks: must list at least one check"),
        ({"name": "g", "checks": ["finite"]}, "checks[0]: must be a mapping with the key check, got 'finite'"),
        (one(check="finit"), "checks[0].check: there is no check 'finit'; did you mean finite?"),
        (one(level=1), "checks[0].check: there is no check None; known are threshold_median"),
        (one(check=["finite"]), "checks[0].check: there is no check ['finite']"),
        (one(check="hold", levl=1), "checks[0].levl: unknown key; did you mean checks[0].level?"),
        (one(check="hold", level="high"), "checks[0].level: must be a number, got 'high'"),
        (one(check="hold", misses=0.5), "checks[0].misses: must be a whole number, got 0.5"),
        (one(check="hold", level=1), "checks[0].keep: must be given, as a finite number"),
        (one(check="finite", keys="Loss/*"), "checks[0].keys: must be a list, got 'Loss/*'"),
        (one(check="floor", key="a", value=1, of="avg"), "checks[0].of: must be one of median, mean, min, max, last"),
        (one(check="finite", window={"last": 0}), "checks[0].window.last: must be at least 1, got 0"),
        (one(check="throughput", hard=2), "checks[0].hard: must be in [0, 1), got 2.0"),
        ({**one(check="finite"), "directions": [1]}, "directions: must map metrics to lower, higher, info, got [1]"),
        (
            {**one(check="finite"), "directions": {"a": "up"}},
            "directions.a: must be one of lower, higher, info, got 'up'",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tree: Any, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        gate_from_mapping(tree)
    assert complaint in str(caught.value)


def test_what_is_no_yaml_is_refused() -> None:
    for text in ("a: [", "a: 2026-99-99"):
        with pytest.raises(ConfigError, match="this is not YAML"):
            gate_from_yaml(text)
