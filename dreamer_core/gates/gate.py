"""A gate: a named, versioned list of checks, and the verdict that all of them come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from dreamer_core.config.checks import at_least
from dreamer_core.errors import ConfigError
from dreamer_core.gates.check import Check, Results
from dreamer_core.gates.comparable import differing_testbed, family_is_known
from dreamer_core.gates.decide import advice, decide, holm
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.result import GateResult, Result
from dreamer_core.gates.verdict import WORST_FIRST, Verdict, combine
from dreamer_core.gates.words import count, number, some
from dreamer_core.metrics.names import Direction


@dataclass(frozen=True, kw_only=True)
class Gate:
    name: str
    version: int = 1
    checks: tuple[Check, ...]
    directions: Mapping[str, Direction] = field(default_factory=dict)  # of metrics that nobody else knows

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("name", "must not be empty")
        if not self.checks:
            raise ConfigError("checks", "must list at least one check; a gate without checks could never be passed")
        at_least(1, version=self.version)


def evaluate(gate: Gate, evidence: Evidence) -> GateResult:
    """Deterministic: the same gate and the same numbers give the same verdicts, sentences and intervals."""
    known = replace(evidence, directions={**evidence.directions, **gate.directions})
    with np.errstate(all="ignore"):  # numbers near the end of the range overflow to infinity, and infinity never passes
        judged = [result for check in gate.checks for result in _judge(check, known)]
    results = (*_endings(known), *_with_flags(_corrected(judged), known))
    counted = [result for result in results if result.required]
    verdict = combine(result.verdict for result in counted)
    baseline = known.baseline
    return GateResult(
        gate=gate.name,
        version=gate.version,
        verdict=verdict,
        reason=_reason(verdict, counted, results),
        results=results,
        baseline="" if baseline is None else baseline.title,
        flags=() if baseline is None else tuple(sorted(baseline.flags)),
        notes=tuple(_notes(known)),
    )


def _judge(check: Check, evidence: Evidence) -> Results:
    """A check that breaks is an error, never a pass."""
    if check.skip:
        return (check.result(Verdict.SKIPPED, f"skipped: {check.skip}"),)
    try:
        results = check.judge(evidence)
        is_incomplete = any(result.verdict is Verdict.NO_DATA for result in results)
        return (is_incomplete and _failures(check, evidence)) or results
    except (ArithmeticError, ConfigError, LookupError, TypeError, ValueError) as error:
        return (check.result(Verdict.ERROR, f"the check broke: {type(error).__name__}: {error}"),)


def _failures(check: Check, evidence: Evidence) -> Results:
    """What is missing of one run must not hide that another one has failed for certain."""
    if not check.is_for_every_run or len(evidence.candidate.runs) < 2:
        return ()
    alone = [replace(evidence, candidate=replace(evidence.candidate, runs=(run,))) for run in evidence.candidate.runs]
    return tuple(result for one in alone for result in check.judge(one) if result.verdict is Verdict.FAIL)


def _corrected(results: list[Result]) -> list[Result]:
    """The verdict on every claim, after Holm's correction for all claims of the gate."""
    places = [place for place, result in enumerate(results) if result.comparison is not None]
    claims = [comparison for result in results if (comparison := result.comparison) is not None]
    worse = holm([claim.p_worse for claim in claims])
    better = holm([claim.p_better for claim in claims])
    corrected = list(results)
    for place, claim, p_worse, p_better in zip(places, claims, worse, better, strict=True):
        verdict = decide(claim, p_worse=p_worse, p_better=p_better)
        reason = results[place].reason
        if len(claims) > 1:
            reason += f"; Holm over {len(claims)} claims: p {number(p_worse)} of worse, {number(p_better)} of better"
        if verdict is Verdict.INCONCLUSIVE:
            reason += f"; {advice(claim, len(claims))}"
        numbers = {**results[place].numbers, "claims": len(claims), "p_worse": p_worse, "p_better": p_better}
        corrected[place] = replace(results[place], verdict=verdict, reason=reason, numbers=numbers)
    return corrected


def _endings(evidence: Evidence) -> Iterable[Result]:
    """A run that failed is an error whatever its numbers say; what is said of one that goes on may still change."""
    for run in evidence.candidate.runs:
        facts = run.facts
        if facts.has_failed or facts.is_unfinished:
            verdict = Verdict.ERROR if facts.has_failed else Verdict.INCONCLUSIVE
            cause = f": {facts.error}" if facts.error else ""
            yield Result(check="ended", kind="ended", verdict=verdict, reason=f"{run} is {facts.status}{cause}")


def _with_flags(results: list[Result], evidence: Evidence) -> list[Result]:
    """What is wrong with the baseline is said wherever the baseline was used."""
    if evidence.baseline is None or not evidence.baseline.flags:
        return results
    flags = ", ".join(flag.replace("_", " ") for flag in sorted(evidence.baseline.flags))
    return [
        replace(result, reason=f"{result.reason} [baseline: {flags}]") if result.against_baseline else result
        for result in results
    ]


def _reason(verdict: Verdict, counted: list[Result], results: Results) -> str:
    """The sentence that decides it, which others say the same, and how many came to what."""
    if not counted:
        return f"{verdict}: no check is required, so nothing can be passed"
    deciding = [result for result in counted if result.verdict is verdict]
    parts = []
    if verdict is not Verdict.PASS or len(counted) == 1:
        _, *others = dict.fromkeys(result.key or result.check for result in deciding)
        parts += [_sentence(deciding[0]), *([f"also {some(others)}"] if others else [])]
    if len(counted) > 1:
        parts.append(_tally(counted))
    if warnings := [result.key or result.check for result in results if result.is_warning]:
        parts.append(f"{count(len(warnings), 'warning')} ({some(warnings)})")
    return f"{verdict}: {'; '.join(parts)}"


def _sentence(result: Result) -> str:
    about = result.key or result.check
    return result.reason if result.reason.startswith(about) else f"{about}: {result.reason}"


def _tally(counted: list[Result]) -> str:
    amounts = {one: sum(item.verdict is one for item in counted) for one in WORST_FIRST}
    said = ", ".join(f"{amount} {one}" for one, amount in amounts.items() if amount)
    return f"{said} of {count(len(counted), 'result')}"


def _notes(evidence: Evidence) -> Iterable[str]:
    if len(evidence.candidate.facts("fingerprint")) > 1:
        yield "the candidate's runs differ in more than the seed: they are not one seed group"
    if evidence.baseline is None:
        return
    if not family_is_known(evidence.baseline, evidence):
        yield "the family of one side is not known: nobody checked that these numbers may be compared"
    speed = [key for key in evidence.baseline.keys if evidence.is_speed(key)]
    if speed and differing_testbed(evidence.baseline, evidence) is None:
        yield f"the testbed of one side is not known: speed ({some(speed)}) may be another machine's"
