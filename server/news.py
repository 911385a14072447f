"""What a transaction changed, to be told after its commit: pages look again, and workers come for what waits."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from server.house import House

_MOST_WAKE_UPS = 16  # a queue and a change; whoever comes takes one job after another, and the timer calls again


@dataclass
class News:
    changed: list[str] = field(default_factory=list)  # runs
    waiting: list[tuple[str, str]] = field(default_factory=list)  # queue and run, for those that can start now

    def add(self, other: Self) -> Self:
        self.changed += other.changed
        self.waiting += other.waiting
        return self

    def tell(self, house: House) -> None:
        """Call after the commit: whoever comes must see it."""
        for run_id in self.changed:
            house.bell.ring(run_id)
        sent: Counter[str] = Counter()
        for queue, run_id in self.waiting:
            if sent[queue] < _MOST_WAKE_UPS and not house.wake_ups.send(queue, run_id):
                return  # no broker, or a dead one: each message would wait for it in vain
            sent[queue] += 1
