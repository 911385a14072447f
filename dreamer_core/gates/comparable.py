"""May these numbers be put side by side at all? If not: which part differs."""

from collections.abc import Mapping

from dreamer_core.config.identity import decides_family
from dreamer_core.gates.baseline import Baseline
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import Facts
from dreamer_core.gates.words import some

# What names a family to people, from the coarsest on.
_TELLING = ("preset", "recipe", "env", "mode")
# What decides about speed. A fingerprint over these says that something differs, but not what.
_IGNORED_OF_TESTBED = {"fingerprint"}


def differing_family(baseline: Baseline, evidence: Evidence) -> str:
    """Why the candidate may not be judged by this baseline; empty if nothing speaks against it."""
    before = {(run.task, run.facts.family): run.facts for run in baseline.runs if run.facts.family}
    after = {(run.task, run.facts.family): run.facts for run in evidence.candidate.runs if run.facts.family}
    for side, found in (("baseline", before), ("candidate", after)):
        tasks = [task for task, _ in found]
        if len(set(tasks)) < len(tasks):
            families = some(sorted(family for _, family in found))
            return f"not comparable: the runs of the {side} are of different families ({families})"
    for (task, family), facts in sorted(after.items(), key=lambda item: item[0]):
        others = {known: other for (where, known), other in before.items() if where == task}
        if before and not others:
            return f"not comparable: the baseline has no task {task!r}"
        if before and family not in others:
            [(known, other)] = others.items()
            return f"not comparable: family {known} of the baseline, {family} of the candidate{_which(other, facts)}"
    return ""


def family_is_known(baseline: Baseline, evidence: Evidence) -> bool:
    runs = [run.facts for run in baseline.runs], [run.facts for run in evidence.candidate.runs]
    return all(side and all(facts.family for facts in side) for side in runs)


def differing_testbed(baseline: Baseline, evidence: Evidence) -> str | None:
    """Which part of the machines differs; empty if they are the same, None if one of them is not known."""
    before = [run.facts.testbed for run in baseline.runs]
    after = [run.facts.testbed for run in evidence.candidate.runs]
    if not before or not all(before) or not all(after):
        return None
    first = before[0]
    for other in (*before[1:], *after):
        shared = [name for name in first if name in other and name not in _IGNORED_OF_TESTBED]
        if not shared:
            return None
        differing = [f"{name} {first[name]} / {other[name]}" for name in shared if first[name] != other[name]]
        if differing:
            return some(differing)
    return ""


def _which(before: Facts, after: Facts) -> str:
    """The parts that differ, as far as they are known."""
    telling = [
        f"{name} {one} / {two}"
        for name in _TELLING
        if (one := getattr(before, name)) and (two := getattr(after, name)) and one != two
    ]
    found = telling or _config_difference(before.config, after.config)
    return f"; they differ in {some(found)}" if found else ""


def _config_difference(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    shared = [key for key in before if key in after and decides_family(key)]
    return [f"{key} {before[key]} / {after[key]}" for key in shared if before[key] != after[key]]
