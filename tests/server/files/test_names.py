"""Names of artifacts, nice and nasty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidError
from server.files import names


@pytest.mark.parametrize(
    "name", ["a", "eval/summary.json", "ünïcode/日本.png", ".hidden", "a..b", "...", "x" * 255, "a b"]
)
def test_a_relative_path_is_a_name(name: str) -> None:
    names.check(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/.",
        "a\\b",
        "a\x00",
        "a\nb",
        "\x7f",
        "a\u2028b",
        "\ud800",
        "x" * 256,
    ],
    ids=ascii,
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        names.check(name)


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("plot.png", "image/png", "inline"),
        ("dream.mp4", "video/mp4", "inline"),
        ("eval/summary.json", "application/json", "inline"),
        ("run.log", "text/plain", "inline"),
        ("events.jsonl", "application/x-ndjson", "inline"),
        ("page.html", "text/html", "attachment"),
        ("page.HTM", "text/html", "attachment"),
        ("drawing.svg", "image/svg+xml", "attachment"),
        ("feed.xml", "text/xml", "attachment"),
        ("paper.pdf", "application/pdf", "attachment"),
        ("last.safetensors", "application/octet-stream", "attachment"),
        ("html", "application/octet-stream", "attachment"),
    ],
)
def test_only_what_cannot_carry_a_script_is_shown_in_the_browser(name: str, media_type: str, kind: str) -> None:
    assert names.media_type(name) == media_type
    assert names.disposition(name).startswith(f"{kind};")


def test_the_saved_name_is_the_last_part_in_two_spellings() -> None:
    said = names.disposition('eval/ü "x".bin')
    assert said == "attachment; filename=\"_ _x_.bin\"; filename*=UTF-8''%C3%BC%20%22x%22.bin"


@given(st.text(max_size=40))
def test_every_name_that_is_allowed_makes_a_header_of_printable_ascii(name: str) -> None:
    try:
        names.check(name)
    except InvalidError:
        return
    assert names.disposition(name).isprintable()
    assert names.disposition(name).isascii()
