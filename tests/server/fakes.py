"""Stand-ins: a clock that is moved by hand, a broker that only remembers, a house that each test moves into."""

from dataclasses import dataclass, field
from typing import Any

from server.house import House


@dataclass
class SetClock:
    """Stands still at a round moment (14 November 2023) until it is moved."""

    at: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class RecordedWakeUps:
    sent: list[tuple[str, str]] = field(default_factory=list)  # queue, run id

    def send(self, queue: str, run_id: str) -> bool:
        self.sent.append((queue, run_id))
        return True

    def ping(self) -> str | None:
        return None


class RentedHouse:
    """What an application is built with once; each test moves in with a house of its own."""

    tenant: House

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tenant, name)
