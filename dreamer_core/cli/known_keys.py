"""Metrics that somebody asks for by name: one that there is nowhere is a mistake, and the nearest is named."""

from collections.abc import Collection, Sequence

from dreamer_core.config.parse import suggestion
from dreamer_core.errors import UsageError


def check_keys(asked: Sequence[str], known: Collection[str], run_ids: Sequence[str]) -> None:
    unknown = [key for key in asked if key not in known]
    if not unknown:
        return
    who = f"run {run_ids[0]} has" if len(run_ids) == 1 else "these runs have"
    if not known:
        raise UsageError(f"--keys: {who} no numbers yet")
    hints = [f"{key!r}{suggestion(key, sorted(known))}" for key in unknown]
    raise UsageError(f"--keys: {who} no metric {' and no '.join(hints)}")
