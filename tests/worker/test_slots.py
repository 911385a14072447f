"""What a worker has to give, and to how many."""

from worker.slots import Slots


def test_devices_are_given_to_one_job_at_a_time_lowest_first() -> None:
    slots = Slots(3, ["0", "1", "2"], cores=16)
    first, second = slots.take(1), slots.take(2)
    assert first is not None
    assert second is not None
    assert (first.gpus, second.gpus) == (("0",), ("1", "2"))
    assert slots.take(1) is None
    slots.give_back(first)
    assert (slots.free, slots.free_gpus) == (2, 1)
    third = slots.take(1)
    assert third is not None
    assert third.gpus == ("0",)


def test_without_a_free_slot_nothing_is_given() -> None:
    slots = Slots(1, ["0", "1"], cores=4)
    assert slots.take(0) is not None
    assert slots.take(0) is None


def test_a_job_sees_only_its_own_devices_and_uses_its_share_of_the_cores() -> None:
    slots = Slots(2, ["GPU-a", "GPU-b"], cores=9)
    none, one = slots.take(0), slots.take(1)
    assert none is not None
    assert one is not None
    assert none.environment["CUDA_VISIBLE_DEVICES"] == ""
    assert one.environment["CUDA_VISIBLE_DEVICES"] == "GPU-a"
    assert one.environment["OMP_NUM_THREADS"] == "4"


def test_there_is_always_one_thread() -> None:
    seat = Slots(4, [], cores=2).take(0)
    assert seat is not None
    assert seat.threads == 1
