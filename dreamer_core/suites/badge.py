"""A verdict as a small picture for a README: a name, and beside it a shape, a word and a colour."""

from dreamer_core.gates.verdict import Verdict
from dreamer_core.suites.xmltext import escaped

_LABEL, _GOOD, _WARN, _BAD, _QUIET = (
    "#3b434d",
    "#1a7434",
    "#855400",
    "#bf1f2e",
    "#525a64",
)  # white on each: 4.5:1 or more
_COLORS = {
    Verdict.PASS: _GOOD,
    Verdict.IMPROVED: _GOOD,
    Verdict.FAIL: _BAD,
    Verdict.ERROR: _BAD,
    Verdict.INCONCLUSIVE: _WARN,
    Verdict.NO_DATA: _QUIET,
    Verdict.SKIPPED: _QUIET,
}
# Drawn, because the fonts of a README's reader may lack them. In a square of 8.
_DRAWN = {
    Verdict.PASS: '<circle cx="4" cy="4" r="3.5"/>',
    Verdict.IMPROVED: '<path d="M4 .5 8 7.5H0z"/>',
    Verdict.FAIL: '<path d="M.5.5h7v7h-7z"/>',
    Verdict.INCONCLUSIVE: '<path d="M4 0 8 4 4 8 0 4z"/>',
    Verdict.NO_DATA: '<circle cx="4" cy="4" r="3" fill="none" stroke="#fff" stroke-width="1.5"/>',
    Verdict.ERROR: '<path d="M1 1l6 6M7 1 1 7" fill="none" stroke="#fff" stroke-width="1.8"/>',
    Verdict.SKIPPED: '<path d="M.5 3.2h7v1.6h-7z"/>',
}
_NEVER = "not run yet"
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|!()[] -"), frozenset("mwMW@%")


def badge_svg(label: str, verdict: str | None) -> str:
    """`verdict` None: there is none yet."""
    found = None if verdict is None else Verdict(verdict)
    word = _NEVER if found is None else found.replace("_", " ")
    shape = "" if found is None else _DRAWN[found]
    left = _width(label) + 12
    text_x = left + (20 if found else 6)
    whole = text_x + _width(word) + 6
    name = escaped(f"{label}: {word}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{name}">'
        f"<title>{name}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><path fill="{_LABEL}" d="M0 0h{left}v20H0z"/>'
        f'<path fill="{_COLORS[found] if found else _QUIET}" d="M{left} 0h{whole - left}v20H{left}z"/></g>'
        f'<g fill="#fff" transform="translate({left + 7} 6)">{shape}</g>'
        '<g fill="#fff" font-family="system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif" font-size="11">'
        f"{_text(label, 6)}{_text(word, text_x)}</g></svg>\n"
    )


def _text(text: str, x: int) -> str:
    """As wide as it was taken to be, whatever the font is."""
    return f'<text x="{x}" y="14" textLength="{_width(text)}" lengthAdjust="spacingAndGlyphs">{escaped(text)}</text>'


def _width(text: str) -> int:
    """At 11 px, in the sans-serif fonts that are usual: near enough to be stretched the rest of the way."""
    return round(sum(3.5 if letter in _NARROW else 9.5 if letter in _WIDE else 6.4 for letter in text))
