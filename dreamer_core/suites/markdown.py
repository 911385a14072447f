"""A suite run as a page of GitHub-flavoured Markdown: a job's summary, or a comment on a pull request."""

import re
from collections.abc import Iterator, Mapping
from html import escape

from dreamer_core.gates.verdict import Verdict
from dreamer_core.suites.report import CheckReport, GateReport, ScenarioReport, SuiteReport

_SPECIAL = re.compile(r"([\\`*_\[\]~|!])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"}  # the last two would ring people
_RUNNING = "…"


def summary_md(report: SuiteReport, charts: Mapping[str, str] | None = None) -> str:
    """`charts`: of gate results, by their id and the check's title, the address of a picture."""
    parts = [f"## {_said(report.verdict, report.word)} · {_text(report.suite)} v{report.version}", _facts(report)]
    parts += ["\n".join(_scenarios(report))]
    for scenario in report.scenarios:
        parts += list(_details(report, scenario, charts or {}))
    return "\n\n".join(parts) + "\n"


def chart_key(gate: GateReport, check: CheckReport) -> str:
    return f"{gate.id} {check.title}"


def _facts(report: SuiteReport) -> str:
    commit = f"commit {_code(report.commit)}" if report.commit else ""
    branch = f"on {_code(report.branch)}" if report.branch else ""
    code = " ".join(filter(None, (commit, branch)))
    return " · ".join(filter(None, (_text(report.reason), code, _link(report, "suite-runs", report.id, "suite run"))))


def _scenarios(report: SuiteReport) -> Iterator[str]:
    yield "| scenario | verdict | gates | runs |"
    yield "|---|---|---|---|"
    for one in report.scenarios:
        gates = "<br>".join(_gate(report, gate) for gate in one.final) or _text(one.missing)
        runs = " ".join(_link(report, "runs", run.id, _run_name(run.kind, run.seed, run.state)) for run in one.runs)
        again = f" after {one.attempt} tries" if one.attempt > 1 else ""
        verdict = _said(one.verdict, _RUNNING if one.verdict is None else one.verdict)
        yield f"| {_text(one.name)} | {verdict}{again} | {gates} | {runs} |"


def _gate(report: SuiteReport, gate: GateReport) -> str:
    against = f" against {_text(gate.baseline)}" if gate.baseline else ""
    return f"{gate.verdict.shape} {_link(report, 'gate-results', gate.id, gate.gate)}{against}"


def _details(report: SuiteReport, scenario: ScenarioReport, charts: Mapping[str, str]) -> Iterator[str]:
    """Every check with its reason. Open where it is not green, so that nobody has to look for it."""
    for gate in scenario.final:
        if not gate.checks and not gate.notes:
            continue
        is_open = "" if gate.verdict.is_green else " open"
        head = f"{gate.verdict.shape} {scenario.name} / {gate.gate} v{gate.version}: {gate.reason}"
        body = [_check(gate, check, charts) for check in gate.checks]
        body += [f"- note: {_text(note)}" for note in gate.notes]
        yield f"<details{is_open}><summary>{_html(head)}</summary>\n\n" + "\n".join(body) + "\n\n</details>"
    if scenario.stopped:
        yield f"{_text(scenario.name)} was stopped early: {_text(scenario.stopped)}"
    for gate in scenario.earlier:
        yield f"{_text(scenario.name)} was tried again after {_link(report, 'gate-results', gate.id, gate.reason)}"


def _check(gate: GateReport, check: CheckReport, charts: Mapping[str, str]) -> str:
    warning = " (warning)" if check.is_warning else ""
    picture = charts.get(chart_key(gate, check))
    shown = f"\n  ![{_text(check.title)}]({picture})" if picture else ""
    return f"- {_said(check.verdict, check.verdict)} **{_text(check.title)}**{warning}: {_text(check.reason)}{shown}"


def _run_name(kind: str, seed: int | None, state: str) -> str:
    name = kind if seed is None else f"{kind} {seed}"
    return name if state == "succeeded" else f"{name} ({state})"


def _said(verdict: Verdict | None, word: str) -> str:
    return f"{verdict.shape} {word.replace('_', ' ')}" if verdict is not None else word


def _link(report: SuiteReport, kind: str, name: str, words: str) -> str:
    return f"[{_text(words)}]({report.server}/{kind}/{name})" if report.server else _text(words)


def _text(words: str) -> str:
    """In one line, and nothing in it is markup, a mention or an issue."""
    line = "".join(_ENTITIES.get(letter, letter) for letter in " ".join(words.split()))
    return _SPECIAL.sub(r"\\\1", line)


def _html(words: str) -> str:
    """Inside of HTML, where Markdown is not read."""
    return escape(" ".join(words.split())).replace("@", "&#64;")


def _code(words: str) -> str:
    return f"<code>{_text(words)}</code>"
