"""Texts of people and programs in Markdown (CommonMark with GitHub's tables), so that they show just as they are."""

import re

_ALWAYS = re.compile(r"[\\`*_\[\]<>&|~$#]")
_FIRST = re.compile(r"^[-+=]")  # a list, a heading's underline, a rule
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")  # and what turns text around
_UNSAFE_IN_URL = str.maketrans({"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", "|": "%7C", " ": "%20"})


def inline(text: str) -> str:
    """In one line; also at the beginning of a block, in a heading, and in a cell of a table."""
    return _line(_one_line(text))


def prose(text: str) -> str:
    """Paragraphs and line breaks stay. What looks like Markdown in it is shown, not obeyed."""
    lines = [_line(_one_line(line)) for line in text.splitlines()]
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip("\n"))
    return "\n\n".join(paragraph.replace("\n", "\\\n") for paragraph in paragraphs)


def code(text: str) -> str:
    shown = _one_line(text)
    if not shown:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell_code(text: str) -> str:
    """In a table a bar ends the cell, in code too: a text with one is no code there."""
    return inline(text) if "|" in text else code(text)


def link(text: str, url: str) -> str:
    """`text` is Markdown already."""
    return f"[{text}]({url.translate(_UNSAFE_IN_URL)})"


def _line(text: str) -> str:
    escaped = _ALWAYS.sub(r"\\\g<0>", text)
    if numbered := _NUMBERED.match(escaped):
        return f"{numbered[1]}\\{escaped[numbered.end(1) :]}"
    return f"\\{escaped}" if _FIRST.match(escaped) else escaped


def _one_line(text: str) -> str:
    """One space wherever there is any, and nothing that cannot be seen."""
    return " ".join(_CONTROL.sub(" ", text).split())
