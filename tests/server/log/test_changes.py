"""What differs between configs."""

from collections.abc import Mapping

import pytest

from server.log.changes import changes, common, flat


def _pairs(before: Mapping[str, object], after: Mapping[str, object]) -> list[tuple[str, object, object]]:
    return [(each.key, each.before, each.after) for each in changes(flat(before), flat(after))]


def test_settings_are_compared_by_their_dotted_keys() -> None:
    before = {"algo": {"horizon": 15, "gamma": 0.997}, "old": 1}
    after = {"algo": {"horizon": 10, "gamma": 0.997}, "new": [1, 2]}
    assert _pairs(before, after) == [("algo.horizon", 15, 10), ("new", None, [1, 2]), ("old", 1, None)]


def test_where_it_runs_and_which_seed_it_has_is_no_change() -> None:
    assert _pairs({"seed": 0, "device": "cpu", "run": {"every": 1}}, {"seed": 1, "device": "cuda"}) == []


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.5), ("1", 1), ([1], [1, 1]), (None, 0)])
def test_values_that_differ_are_told_apart(before: object, after: object) -> None:
    assert len(_pairs({"x": before}, {"x": after})) == 1


def test_a_commit_counts_where_both_sides_know_theirs() -> None:
    assert [each.key for each in changes(flat({}, "aaa"), flat({}, "bbb"))] == ["commit"]
    assert changes(flat({}, "aaa"), flat({})) == []


def test_what_most_have_is_common_and_of_two_the_first() -> None:
    configs = [flat({"a": 1, "b": 1}), flat({"a": 2, "b": 2}), flat({"a": 2, "c": 1})]
    assert common(configs) == {"a": 2, "b": 1}
    assert common([]) == {}
