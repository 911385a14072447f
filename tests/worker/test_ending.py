"""From the way a child ended to what the server is told."""

import pytest

from worker.ending import Exit, died_too_often, judge
from worker.stopping import Why


def test_exit_code_0_is_a_success_even_when_it_was_to_be_cancelled() -> None:
    for why in (None, Why.CANCEL, Why.DRAIN):
        ending = judge(Exit(code=0, status="succeeded"), why, "It was cancelled.")
        assert ending is not None
        assert ending.outcome == "succeeded"


@pytest.mark.parametrize(
    ("why", "outcome"), [(Why.CANCEL, "cancelled"), (Why.DRAIN, "drained"), (Why.LIMIT, "limited")]
)
@pytest.mark.parametrize("code", [75, -15, -9])
def test_a_child_that_was_asked_to_stop_ends_as_was_asked(why: Why, outcome: str, code: int) -> None:
    ending = judge(Exit(code=code, status="interrupted"), why, "a reason")
    assert ending is not None
    assert (ending.outcome, ending.reason, ending.exit_code) == (outcome, "a reason", code)


@pytest.mark.parametrize("code", [-9, -15, -11, 75])
def test_a_child_that_nobody_asked_can_go_on(code: int) -> None:
    assert judge(Exit(code=code, status="running"), None, "") is None


def test_a_signal_on_the_way_out_of_a_finished_run_changes_nothing() -> None:
    ending = judge(Exit(code=-15, status="succeeded"), Why.CANCEL, "It was cancelled.")
    assert ending is not None
    assert ending.outcome == "succeeded"


def test_the_ranks_of_a_run_were_asked_although_their_launcher_says_it_broke() -> None:
    ending = judge(Exit(code=1, status="interrupted"), Why.DRAIN, "going")
    assert ending is not None
    assert ending.outcome == "drained"


def test_a_failure_tells_the_first_error_and_else_the_last_words() -> None:
    told = judge(Exit(code=4, status="failed", error="Loss/kl is not finite", last_words="Traceback"), None, "")
    untold = judge(Exit(code=2, status=None, last_words="dreamgate: seed: must be a whole number"), None, "")
    silent = judge(Exit(code=4, status=None), None, "")
    assert told is not None
    assert untold is not None
    assert silent is not None
    assert (told.outcome, told.error) == ("failed", "Loss/kl is not finite")
    assert (untold.error, untold.reason) == (
        "dreamgate: seed: must be a whole number",
        "What it was asked for is wrong.",
    )
    assert silent.error == "It ended with exit code 4 and said nothing."


def test_of_the_last_words_a_failure_tells_those_that_complain() -> None:
    words = "step 100  20 updates\ndreamgate: /runs/a/metrics.jsonl: No space left on device"
    ending = judge(Exit(code=4, status="running", last_words=words), None, "")
    assert ending is not None
    assert ending.error == "dreamgate: /runs/a/metrics.jsonl: No space left on device"


def test_where_nothing_can_be_written_a_failure_names_the_place_after_its_own_words() -> None:
    full = "the disk of /runs has only 0 MiB left"
    told = judge(Exit(code=4, status="failed", error="OSError: it is full", place_problem=full), None, "")
    silent = judge(Exit(code=4, status="running", last_words="step 100", place_problem=full), None, "")
    assert told is not None
    assert silent is not None
    assert (told.error, silent.error) == (f"OSError: it is full\n{full}", full)


def test_a_failure_while_it_was_to_stop_is_a_failure() -> None:
    ending = judge(Exit(code=4, status="failed", error="No space left on device"), Why.CANCEL, "It was cancelled.")
    assert ending is not None
    assert (ending.outcome, ending.error) == ("failed", "No space left on device")


def test_who_dies_again_and_again_is_given_up_with_a_guess() -> None:
    ending = died_too_often(-9, 4)
    assert (ending.outcome, ending.reason) == ("failed", "Its process died 4 times.")
    assert ending.error == "It was killed by signal 9 (out of memory?)."
