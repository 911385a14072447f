"""Verdicts: pure functions from numbers to pass, improved, fail, inconclusive, no_data, error or skipped.

A `SeedGroup` holds the numbers of runs, a `Baseline` what a blessed group scored, a `Gate` a list of checks;
`evaluate` turns them into a `GateResult`. No files, no clock, no network, no randomness that is not seeded.
"""

from dreamer_core.gates.baseline import Baseline, Flag
from dreamer_core.gates.baseline_diff import BaselineDiff, diff
from dreamer_core.gates.baseline_json import to_json, to_seed_json
from dreamer_core.gates.baseline_reading import baseline_from_json
from dreamer_core.gates.capture import Blessing, capture, refuse_unless_allowed, replace_baseline
from dreamer_core.gates.checks import CHECKS
from dreamer_core.gates.evidence import Evidence, ParityCase, Past
from dreamer_core.gates.foreign import foreign_group
from dreamer_core.gates.gate import Gate, evaluate
from dreamer_core.gates.group import Facts, RunNumbers, SeedGroup
from dreamer_core.gates.records import run_from_records
from dreamer_core.gates.result import GateResult, Result, to_plain
from dreamer_core.gates.seed_report import seed_report
from dreamer_core.gates.series import Series, Window
from dreamer_core.gates.spec import gate_from_mapping, gate_from_yaml, gate_to_mapping
from dreamer_core.gates.verdict import Verdict, combine, exit_code

__all__ = [
    "CHECKS",
    "Baseline",
    "BaselineDiff",
    "Blessing",
    "Evidence",
    "Facts",
    "Flag",
    "Gate",
    "GateResult",
    "ParityCase",
    "Past",
    "Result",
    "RunNumbers",
    "SeedGroup",
    "Series",
    "Verdict",
    "Window",
    "baseline_from_json",
    "capture",
    "combine",
    "diff",
    "evaluate",
    "exit_code",
    "foreign_group",
    "gate_from_mapping",
    "gate_from_yaml",
    "gate_to_mapping",
    "refuse_unless_allowed",
    "replace_baseline",
    "run_from_records",
    "seed_report",
    "to_json",
    "to_plain",
    "to_seed_json",
]
