"""Of several reasons to stop, the weightiest counts."""

from worker.stopping import StopOrder, Why


def test_nobody_has_asked_at_first() -> None:
    order = StopOrder()
    assert not order
    assert not order.wait(0)


def test_a_weightier_reason_takes_the_place_of_a_lighter_one_and_never_the_other_way() -> None:
    order = StopOrder()
    order.ask(Why.DRAIN, "going")
    order.ask(Why.CANCEL, "cancelled")
    order.ask(Why.LIMIT, "too much")
    assert (order.why, order.reason) == (Why.CANCEL, "cancelled")
    order.ask(Why.LOST, "not ours")
    assert order.is_lost
    assert order.wait(0)


def test_that_the_worker_goes_is_remembered_beside_a_weightier_reason() -> None:
    order = StopOrder()
    order.ask(Why.CANCEL, "cancelled")
    assert not order.is_drained
    order.ask(Why.DRAIN, "going")
    assert (order.why, order.is_drained) == (Why.CANCEL, True)
