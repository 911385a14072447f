"""What each seed learned as a Markdown table, with a last line that says how many reached the goal."""

from collections.abc import Sequence

from dreamer_core.bench.learning import Goal, Learned

_HEAD = "| seed | solved at | updates | CPU-minutes | evaluations since | below | worst | last | goal |"
_RULE = "|---|---|---|---|---|---|---|---|---|"


def table(rows: Sequence[Learned], goal: Goal) -> str:
    lines = [_HEAD, _RULE, *(line(row, goal) for row in rows)]
    return "\n".join([*lines, "", summary(rows, goal)]) + "\n"


def summary(rows: Sequence[Learned], goal: Goal) -> str:
    soon = sum(row.is_soon(goal) for row in rows)
    kept = [row.is_kept(goal) for row in rows]
    words = [
        f"{soon} of {len(rows)} seeds solved it in time",
        f"{kept.count(True)} kept it",
        f"{kept.count(False)} lost it",
    ]
    if unknown := sum(row.solved is not None and row.is_kept(goal) is None for row in rows):
        words.append(f"{unknown} ended before it could be known")
    return f"{', '.join(words)}. The goal: {goal}."


def line(row: Learned, goal: Goal) -> str:
    if row.error:
        return f"| {row.seed} | broke: {row.error} | | | | | | | |"
    last = f"{row.seen[-1].score:.1f} at {row.seen[-1].env_steps:,}" if row.seen else "–"
    if row.solved is None:
        return f"| {row.seed} | never | | | | | | {last} | no |"
    solved = f"{row.solved.env_steps:,} | {row.solved.updates:,} | {row.solved.cpu_s / 60:.2f}"
    since = f"{len(row.after) - 1} | {row.missed(goal)} | {row.worst:.1f}"
    return f"| {row.seed} | {solved} | {since} | {last} | {_verdict(row, goal)} |"


def _verdict(row: Learned, goal: Goal) -> str:
    soon = "in time" if row.is_soon(goal) else "late"
    return f"{soon}, {({True: 'kept', False: 'lost', None: 'not known'})[row.is_kept(goal)]}"
