"""Range headers, as RFC 9110 says."""

import pytest

from server.files.ranges import Span, UnsatisfiableError, content_range, parse


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=2-4", Span(2, 5)),
        ("bytes=2-", Span(2, 10)),
        ("bytes=9-", Span(9, 10)),
        ("bytes=2-99", Span(2, 10)),
        ("bytes=-3", Span(7, 10)),
        ("bytes=-99", Span(0, 10)),
        ("Bytes= 2-4 ", Span(2, 5)),
    ],
)
def test_one_range_is_understood(header: str, expected: Span) -> None:
    assert parse(header, 10) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=4-2",
        "bytes=0-1,3-4",
        "bytes=a-b",
        "items=0-1",
        "bytes=0-1x",
        "bytes=²-",
    ],
)
def test_what_cannot_be_read_asks_for_the_whole(header: str | None) -> None:
    assert parse(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_without_any_byte_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableError):
        parse(header, size)


def test_the_answer_says_which_part_it_is() -> None:
    assert content_range(Span(2, 5), 10) == "bytes 2-4/10"
