"""Suites as data: scenarios and seeds, what is run for each, and the gates that judge it. No server, no torch."""

from dreamer_core.suites.reading import stored_suite, suite_from_mapping, suite_from_yaml, suite_to_mapping
from dreamer_core.suites.spec import Bench, Evaluation, GateUse, Scenario, Suite

__all__ = [
    "Bench",
    "Evaluation",
    "GateUse",
    "Scenario",
    "Suite",
    "stored_suite",
    "suite_from_mapping",
    "suite_from_yaml",
    "suite_to_mapping",
]
