"""The log of an experiment as a document for a repository. Values in, text out; links lead back to the server."""

from collections.abc import Iterator, Sequence

from server.log import words
from server.log.escape import cell_code, code, inline, link, prose
from server.log.out import Annotation, Change, Column, LoggedGroup, LoggedRun, LoggedVerdict, LogOut, Said
from server.pages.formats import number, setting, whole

_LONGEST_CELL = 160


def to_markdown(log: LogOut, server: str) -> str:
    """`server`: its address, without a slash at the end."""
    blocks = [
        f"# {inline(log.experiment.name)}",
        prose(log.question),
        f"{words.size(log.groups)} in experiment {link(code(log.experiment.id), _page(log, server))}. {words.WINDOW}",
        f"{log.left_out} older seed groups are not in this document." if log.left_out else "",
        "\n".join(_overview(log)) if log.groups else "There is no run in it yet.",
    ]
    for place, group in enumerate(log.groups, 1):
        blocks += _section(group, place, server)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _page(log: LogOut, server: str) -> str:
    return f"{server}/experiments/{log.experiment.id}"


def _overview(log: LogOut) -> Iterator[str]:
    yield "| | seed group | seeds | metric | median | min … max | verdict | conclusion |"
    yield "|--:|---|--:|---|--:|---|---|---|"
    for place, group in enumerate(log.groups, 1):
        decides = group.decides
        metric = [""] * 3
        if decides is not None:
            shown = cell_code(decides.key) + words.arrow(decides.direction)
            metric = [shown, number(decides.summary.median), words.spread(decides.summary)]
        verdict = group.verdicts[0].verdict.replace("_", " ") if group.verdicts else ""
        name = link(inline(group.name), f"#{_anchor(group)}")
        said = _short(group.conclusion[0].text) if group.conclusion else ""
        seeds = str(decides.summary.n if decides else 0)
        yield _row([str(place), name, seeds, *metric, verdict, said])


def _section(group: LoggedGroup, place: int, server: str) -> Iterator[str]:
    yield f'<a id="{_anchor(group)}"></a>'
    yield f"## {place}. {inline(group.name)}"
    yield f"*{_facts(group)}*"
    yield _changed(group, server)
    yield _all_said("Hypothesis", group.hypothesis) or f"**Hypothesis.** {words.no_hypothesis(group)}"
    yield f"**Primary metric.** {code(group.primary_metric)}" if group.primary_metric else ""
    yield _all_said("Stop rule", group.stop_rule)
    yield "\n".join(_results(group, server))
    yield _list("Verdicts", [_verdict(each, server) for each in group.verdicts])
    yield _all_said("Conclusion", group.conclusion) or ("" if words.waits(group) else "**Conclusion.** None yet.")
    yield _all_said("Notes", group.notes)
    yield _list("Annotations", [_annotation(each, server) for each in group.annotations])


def _anchor(group: LoggedGroup) -> str:
    return f"group-{group.seed_group}"


def _facts(group: LoggedGroup) -> str:
    parts = [
        str(group.kind),
        f"preset {inline(group.preset)}" if group.preset else "",
        inline(group.env) if group.env else "",
        f"commit {inline(group.changed.commit)}" if group.changed.commit else "",
        f"{'made' if words.waits(group) else 'began'} {group.began_at[:10]}",
        words.states(group),
    ]
    return " · ".join(filter(None, parts))


def _changed(group: LoggedGroup, server: str) -> str:
    changed = group.changed
    run = link(code(changed.run_id), f"{server}/runs/{changed.run_id}") if changed.run_id else ""
    if changed.against == "nothing":
        return f"**Looks at** {run}." if run else ""
    head = f"**Differs** {inline(words.against(changed))} {run}".rstrip()
    if not changed.changes:
        return f"{head} in no setting."
    more = [f"- and {changed.left_out} more"] if changed.left_out else []
    return "\n".join([f"{head}:", "", *map(_change, changed.changes), *more])


def _change(change: Change) -> str:
    return f"- {code(change.key)}: {_value(change.before)} → {_value(change.after)}"


def _value(value: object) -> str:
    text = setting(value) or '""'
    return code(text) if len(text) <= _LONGEST_CELL else code(text[:_LONGEST_CELL] + " …")


def _all_said(title: str, said: Sequence[Said]) -> str:
    found = []
    for each in said:
        who = f" ({words.who(each)})" if words.who(each) else ""
        found.append(f"**{title}{who}.** {prose(each.text)}")
    return "\n\n".join(found)


def _results(group: LoggedGroup, server: str) -> Iterator[str]:
    heads = [cell_code(column.key) + words.arrow(column.direction) for column in group.columns]
    yield _row(["seed", "state", "env steps", "updates", *heads])
    yield "|--:|---|--:|--:|" + "--:|" * len(heads)
    for run in group.runs:
        yield _run(run, group.columns, server)
    if group.columns:
        yield from _summaries(group.columns)


def _run(run: LoggedRun, columns: Sequence[Column], server: str) -> str:
    state = f"{run.state}, replaced by a newer run" if not run.counts else str(run.state)
    error = f": {_short(run.error)}" if run.error else ""
    values = [number(run.values.get(column.key)) for column in columns]
    name = link(words.seed(run.seed), f"{server}/runs/{run.id}")
    return _row([name, state + error, whole(run.env_steps), whole(run.train_steps), *values])


def _summaries(columns: Sequence[Column]) -> Iterator[str]:
    found = [column.summary for column in columns]
    yield _row(["**median**", "", "", "", *(f"**{number(each.median)}**" for each in found)])
    if any(each.iqm is not None for each in found):
        yield _row(["IQM", "", "", "", *(number(each.iqm) for each in found)])
    yield _row(["min … max", "", "", "", *map(words.spread, found)])
    yield _row(["seeds", "", "", "", *map(words.count, found)])


def _verdict(each: LoggedVerdict, server: str) -> str:
    gate = link(inline(f"{each.gate} v{each.gate_version}"), f"{server}/gate-results/{each.id}")
    against = f" against {inline(each.baseline)}" if each.baseline else ""
    return f"- **{each.verdict.replace('_', ' ')}** by {gate}{against}, {each.created_at[:10]}: {inline(each.reason)}"


def _annotation(each: Annotation, server: str) -> str:
    run = link(f"seed {words.seed(each.seed)}", f"{server}/runs/{each.run_id}")
    step = f", step {whole(each.env_steps)}" if each.env_steps else ""
    return f"- {each.at[:16].replace('T', ' ')} UTC, {run}{step}: {inline(each.text)}"


def _list(title: str, items: Sequence[str]) -> str:
    return "\n".join([f"**{title}**", "", *items]) if items else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _short(text: str) -> str:
    """The first line, for a cell."""
    first = next(iter(text.strip().splitlines()), "")
    return inline(first if len(first) <= _LONGEST_CELL else f"{first[:_LONGEST_CELL]} …")
