"""A check's numbers as a small SVG: the score of every seed, beside the baseline's, its band and the limit."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamer_core.gates.records import as_number
from dreamer_core.gates.words import number
from dreamer_core.suites.report import CheckReport
from dreamer_core.suites.xmltext import escaped

_WIDTH, _LEFT, _RIGHT, _PAD, _ROW, _TOP = 560, 90, 20, 12, 22, 34
_STYLE = (
    "text{font:12px system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif;fill:#16191d}"
    ".soft{fill:#525a64}.axis{stroke:#868e99}.band{fill:#0072b2;opacity:.14}.mid{stroke:#0072b2}"
    ".limit{stroke:#bf1f2e;stroke-dasharray:4 3}.seed{fill:#c24e00}.old{fill:none;stroke:#0072b2;stroke-width:1.5}"
    "@media (prefers-color-scheme:dark){text{fill:#e4e7ea}.soft{fill:#9aa4af}.axis{stroke:#65707b}"
    ".band{fill:#5cb3f0;opacity:.2}.mid{stroke:#5cb3f0}.limit{stroke:#ff8078}.seed{fill:#f08a4b}.old{stroke:#5cb3f0}}"
)


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One axis with a dot for each seed."""

    title: str
    scores: tuple[float, ...]
    before: tuple[float, ...] = ()  # the baseline's seeds
    middle: float | None = None  # of the baseline
    band: tuple[float, float] | None = None  # what the check allows, or what the baseline's seeds span
    limit: float | None = None  # not to be passed


def strip_of(check: CheckReport) -> Strip | None:
    """None where a check has no score for each seed."""
    numbers, title = check.numbers, check.title
    if "candidate_scores" in numbers and len(numbers["candidate_scores"]) == 1:
        return _of_two_sides(title, numbers, check.comparison)
    scores = _finite(numbers.get("per_run", {}).values())
    if not scores:
        return None
    if "bound" in numbers:
        return Strip(title=title, scores=scores, limit=_known(numbers["bound"]))
    middle, allowed = _known(numbers.get("baseline")), _known(numbers.get("allowed"))
    if middle is None or allowed is None:
        return None
    return Strip(title=title, scores=scores, middle=middle, band=(middle - allowed, middle + allowed))


def chart_svg(strip: Strip) -> str:
    low, high = _extent(strip)
    half = high / 2 - low / 2  # by halves, so that no span is too wide for a number
    rows = 2 if strip.before else 1
    bottom = _TOP + rows * _ROW

    def x(value: float) -> str:
        share = (value / 2 - low / 2) / half if half else 0.5
        return f"{_LEFT + _PAD + share * (_WIDTH - _LEFT - _RIGHT - 2 * _PAD):.1f}"

    parts = [f'<text x="0" y="14">{escaped(strip.title)}</text>']
    if strip.band is not None:
        start, end = (float(x(edge)) for edge in strip.band)
        parts.append(f'<path class="band" d="M{start} {_TOP - 8}H{end:.1f}V{bottom}H{start}z"/>')
    parts += [_upright("mid", x(strip.middle), bottom)] if strip.middle is not None else []
    parts += [_upright("limit", x(strip.limit), bottom)] if strip.limit is not None else []
    parts += _dots("this run", "seed", [x(score) for score in strip.scores], _TOP + 4)
    parts += _dots("baseline", "old", [x(score) for score in strip.before], _TOP + 4 + _ROW) if strip.before else []
    parts.append(f'<path class="axis" d="M{_LEFT} {bottom}H{_WIDTH - _RIGHT}"/>')
    parts += [
        _tick(x(value), bottom + 16, number(value)) for value in ((low, low / 2 + high / 2, high) if half else (low,))
    ]
    parts.append(f'<text class="soft" x="0" y="{bottom + 36}">{escaped(_legend(strip))}</text>')
    words = escaped(f"{strip.title}: {_legend(strip)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom + 44}" width="{_WIDTH}" role="img" '
        f'aria-label="{words}"><title>{words}</title><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _of_two_sides(title: str, numbers: Mapping[str, Any], comparison: Mapping[str, Any] | None) -> Strip | None:
    """Scores of both sides, and the accepted loss on the side where it would be one."""
    [after], [before] = (list(numbers[side].values()) for side in ("candidate_scores", "baseline_scores"))
    scores, old = _finite(after), _finite(before)
    if not scores or not old:
        return None
    claim = comparison or numbers.get("undecided") or {}
    middle, margin = _known(claim.get("baseline")), _known(claim.get("margin"))
    if middle is None or margin is None:
        return Strip(title=title, scores=scores, before=old, band=(min(old), max(old)))
    gain = (_known(claim.get("candidate")) or 0.0) - middle
    is_higher_better = gain * (_known(claim.get("difference")) or 0.0) >= 0
    limit = middle - margin if is_higher_better else middle + margin
    return Strip(title=title, scores=scores, before=old, middle=middle, band=(min(old), max(old)), limit=limit)


def _extent(strip: Strip) -> tuple[float, float]:
    marks = [mark for mark in (strip.middle, strip.limit) if mark is not None]
    values = [*strip.scores, *strip.before, *marks, *(strip.band or ())]
    return min(values), max(values)


def _dots(label: str, kind: str, places: Sequence[str], y: int) -> list[str]:
    dots = [f'<circle class="{kind}" cx="{place}" cy="{y}" r="4" opacity=".8"/>' for place in places]
    return [f'<text class="soft" x="0" y="{y + 4}">{label}</text>', *dots]


def _upright(kind: str, x: str, bottom: int) -> str:
    return f'<path class="{kind}" d="M{x} {_TOP - 10}V{bottom}"/>'


def _tick(x: str, y: int, text: str) -> str:
    return f'<text class="soft" x="{x}" y="{y}" text-anchor="middle">{text}</text>'


def _legend(strip: Strip) -> str:
    """The same in words, for whoever does not see the picture."""
    seeds = "1 seed" if len(strip.scores) == 1 else f"{len(strip.scores)} seeds"
    said = [f"{seeds} from {number(min(strip.scores))} to {number(max(strip.scores))}"]
    if strip.middle is not None:
        said.append(f"baseline {number(strip.middle)}")
    if strip.band is not None:
        said.append(f"band {number(strip.band[0])} to {number(strip.band[1])}")
    if strip.limit is not None:
        said.append(f"limit {number(strip.limit)}")
    return ", ".join(said)


def _known(value: Any) -> float | None:
    found = as_number(value)
    return found if found is not None and math.isfinite(found) else None


def _finite(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(found for value in values if (found := _known(value)) is not None)
