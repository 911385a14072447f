"""The address of a list of runs: what it says, and the addresses that it leads to."""

import pytest
from starlette.datastructures import QueryParams

from server.errors import InvalidError
from server.pages.list_address import ListAddress


def read(query: str) -> ListAddress:
    return ListAddress.read(QueryParams(query))


def test_nothing_said_is_the_shortest_address() -> None:
    assert read("").url() == "/runs"


def test_an_address_leads_back_to_itself() -> None:
    said = "q=wide&state=failed&state=running&tag=ci&experiment=horizon&deleted=true&metrics=sps&group=seeds&sort=name"
    assert read(said).url() == f"/runs?{said}"


def test_where_a_page_goes_on_is_not_kept_when_a_filter_changes() -> None:
    assert read("cursor=abc&q=x").url(q="y") == "/runs?q=y"


def test_what_is_empty_or_unknown_is_left_out() -> None:
    assert read("q=&state=asleep&experiment=&colour=red").url() == "/runs"


def test_control_characters_do_not_reach_the_database() -> None:
    assert read("q=a%00b%0Ac").q == "abc"


def test_metrics_are_asked_for_once_each_and_at_most_six() -> None:
    assert read("metrics=a,a,b,c,d,e,f,g").metrics == ("a", "b", "c", "d", "e", "f")


def test_metrics_may_be_none() -> None:
    assert read("metrics=").metrics == ()


@pytest.mark.parametrize(
    ("sorted_by", "column", "next_sort"),
    [
        ("", "name", "name"),
        ("sort=name", "name", "-name"),
        ("sort=-name", "name", "name"),
        ("", "metric:sps", "-metric%3Asps"),
        ("sort=-metric:sps", "metric:sps", "metric%3Asps"),
    ],
)
def test_a_second_click_on_a_column_turns_it_round(sorted_by: str, column: str, next_sort: str) -> None:
    assert read(sorted_by).sorted_by(column) == f"/runs?sort={next_sort}"


def test_the_newest_come_first_unless_somebody_turns_them_round() -> None:
    assert read("").sorted_by("created_at") == "/runs?sort=created_at"


def test_a_filter_without_a_field_can_be_taken_away() -> None:
    assert read("family=abc&q=x").link_filters == [("family", "abc", "/runs?q=x")]


def test_what_the_api_would_refuse_is_refused_with_its_reason() -> None:
    with pytest.raises(InvalidError, match="kind"):
        read("kind=dance").query()
