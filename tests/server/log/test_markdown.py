"""The log as a document: as it is kept beside this test, and whatever people wrote, shown as they wrote it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from server.log.escape import cell_code, code, inline, prose
from server.log.markdown import to_markdown
from server.log.out import Said
from server.tables import RunState
from tests.server.log.logs import a_group, a_log, a_logged_run, the_whole_log

GOLDEN = Path(__file__).with_name("collapse.md")
PARSER = MarkdownIt("commonmark").enable("table").enable("strikethrough")
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40)
NASTY = st.text(st.sampled_from("\\`*_[]<>&|~$#-+=1.)( !a"), max_size=12)


def test_the_document_is_as_it_was() -> None:
    """After a change that is meant: `python -m tests.server.log.test_markdown`, and look at the diff."""
    assert to_markdown(the_whole_log(), "http://lab:8420") == GOLDEN.read_text()


def test_an_empty_experiment_has_a_document_too() -> None:
    assert to_markdown(a_log(), "http://lab").splitlines()[-1] == "There is no run in it yet."


def test_a_group_that_waits_was_made_and_has_not_begun() -> None:
    waiting = a_group(runs=[a_logged_run(0, state=RunState.QUEUED)])
    document = to_markdown(a_log(waiting), "http://lab")
    assert "· made 2026-01-20 · 1 queued" in document
    assert "began" not in document


def test_a_document_has_the_headings_that_it_should_and_no_others() -> None:
    evil = "# one\n\nTwo\n===\n\n> three\n\n```\n"
    found = PARSER.parse(to_markdown(a_log(a_group(name=evil, notes=[Said(text=evil, seeds=None)])), "http://lab"))
    assert [token.tag for token in found if token.type == "heading_open"] == ["h1", "h2"]
    assert {token.type for token in found} & {"fence", "code_block", "blockquote_open", "hr"} == set()


@given(TEXTS | NASTY)
def test_a_text_is_shown_as_it_was_written(text: str) -> None:
    assert _shown(inline(text)) == " ".join(text.split())


@given(TEXTS | NASTY)
def test_in_a_cell_too(text: str) -> None:
    for written, seen in ((inline(text), text), (cell_code(text), text)):
        tokens = PARSER.parse(f"| a | b |\n|---|---|\n| {written} | end |\n")
        cells = [after.children for token, after in pairwise(tokens) if token.type == "td_open"]
        assert ["".join(child.content for child in cell or ()) for cell in cells] == [" ".join(seen.split()), "end"]


@given(TEXTS | NASTY)
def test_in_a_heading_too(text: str) -> None:
    assert _shown(f"## 1. {inline(text)}") == f"1. {' '.join(text.split())}".strip()


@given(TEXTS | NASTY)
def test_as_code_too(text: str) -> None:
    assert _shown(f"a {code(text)}") == f"a {' '.join(text.split())}".strip()


@given(st.lists(TEXTS | NASTY, max_size=5))
def test_lines_and_paragraphs_stay(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept = [" ".join(line.split()) for line in text.splitlines()]
    whole = re.sub(r"\n{2,}", "\n\n", "\n".join(kept).strip("\n"))
    assert "\n\n".join(_blocks(prose(text))) == whole


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "a\x1b[31mb", "a\u2028b"])
def test_what_cannot_be_seen_is_a_space(text: str) -> None:
    assert _shown(inline(text)) in ("a b", "a [31mb")


def _shown(markdown: str) -> str:
    return "\n\n".join(_blocks(markdown))


def _blocks(markdown: str) -> list[str]:
    """What a reader sees of each paragraph or heading; a line break is a line break."""
    seen = {"softbreak": "\n", "hardbreak": "\n"}
    inlines = [token for token in PARSER.parse(markdown) if token.type == "inline"]
    return ["".join(seen.get(child.type, child.content) for child in token.children or ()) for token in inlines]


if __name__ == "__main__":
    GOLDEN.write_text(to_markdown(the_whole_log(), "http://lab:8420"))
