"""The bell: whoever listens wakes up at once, also for what rang before it waited, and is let go when it closes."""

import asyncio
import threading

from server.live.bell import EVERYTHING, Bell


def opened() -> Bell:
    bell = Bell()
    bell.open(asyncio.get_running_loop())
    return bell


def test_a_thread_wakes_a_listener_of_the_topic_and_of_everything_up() -> None:
    async def listen() -> list[bool]:
        bell = opened()
        with bell.listening("a") as a, bell.listening("b") as b, bell.listening(EVERYTHING) as every:
            threading.Thread(target=bell.ring, args=["a"]).start()
            return [await a.wait(5), await every.wait(5), await b.wait(0.01)]

    assert asyncio.run(listen()) == [True, True, False]


def test_what_rings_between_two_waits_is_heard_once() -> None:
    async def listen() -> list[bool]:
        bell = opened()
        with bell.listening("a") as ear:
            bell.ring("a")
            bell.ring("a")
            await asyncio.sleep(0)
            return [await ear.wait(5), await ear.wait(0.01)]

    assert asyncio.run(listen()) == [True, False]


def test_closing_wakes_everybody_up() -> None:
    async def listen() -> tuple[bool, bool]:
        bell = opened()
        with bell.listening("a") as ear:
            bell.close()
            return await ear.wait(5), bell.is_open

    assert asyncio.run(listen()) == (True, False)


def test_who_has_gone_is_forgotten() -> None:
    async def listen() -> list[int]:
        bell = opened()
        with bell.listening("a"), bell.listening("a"):
            inside = bell.listeners
        return [inside, bell.listeners]

    assert asyncio.run(listen()) == [2, 0]


def test_a_bell_that_nobody_opened_rings_into_nothing() -> None:
    Bell().ring("a")
