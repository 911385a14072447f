"""Evidence that comes as JSON of its own: a metric's history, and comparisons with a reference."""

from collections.abc import Mapping
from typing import Any

from dreamer_core.errors import UsageError
from dreamer_core.gates.evidence import ParityCase, Past
from dreamer_core.gates.records import as_number


def history_from(tree: Any, where: str) -> dict[str, tuple[Past, ...]]:
    """`{metric: [value or {value, label?, testbed?}, ...]}`, from the oldest on."""
    if not isinstance(tree, Mapping) or not all(isinstance(values, list) for values in tree.values()):
        raise UsageError(f"{where}: a history is an object of lists, {{metric: [values]}}, got {tree!r:.80}")
    return {
        str(key): tuple(_past(one, f"{where}: {key}[{number}]") for number, one in enumerate(values))
        for key, values in tree.items()
    }


def parity_from(tree: Any, where: str) -> tuple[ParityCase, ...]:
    """`[{name, error, tolerance, reference?}, ...]`; a case may be `{name, status: skipped}`."""
    if not isinstance(tree, list):
        raise UsageError(f"{where}: parity is a list of cases, got {tree!r:.80}")
    return tuple(_case(one, f"{where}: parity[{number}]") for number, one in enumerate(tree))


def _past(one: Any, where: str) -> Past:
    entry = one if isinstance(one, Mapping) else {"value": one}
    return Past(
        value=_number(entry.get("value"), f"{where}.value"),
        label=str(entry.get("label", "")),
        testbed=str(entry.get("testbed", "")),
    )


def _case(one: Any, where: str) -> ParityCase:
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str):
        raise UsageError(f"{where} must be an object with a name, got {one!r:.80}")
    reference, status = str(one.get("reference", "")), one.get("status", "compared")
    if status not in ("compared", "skipped"):
        raise UsageError(f"{where}.status must be compared or skipped, got {status!r:.80}")
    if status == "skipped":
        return ParityCase(name=one["name"], status="skipped", reference=reference)
    return ParityCase(
        name=one["name"],
        error=_number(one.get("error"), f"{where}.error"),
        tolerance=_number(one.get("tolerance"), f"{where}.tolerance"),
        reference=reference,
    )


def _number(value: Any, where: str) -> float:
    found = as_number(value)
    if found is None:
        raise UsageError(f"{where} must be a number, got {value!r:.80}")
    return found
