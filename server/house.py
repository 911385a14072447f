"""What every route may need, made once at the start and handed in: no connection is made by an import."""

from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from server import clock
from server.clock import Clock
from server.configs.estimates import Estimates
from server.database import Database
from server.files.store import Store
from server.live.bell import Bell
from server.live.streams import Streams
from server.log.memory import Memory
from server.queue import WakeUps
from server.settings import Settings


@dataclass(frozen=True, kw_only=True)
class House:
    settings: Settings
    database: Database
    store: Store
    wake_ups: WakeUps
    bell: Bell = field(default_factory=Bell)
    streams: Streams = field(default_factory=Streams)
    estimates: Estimates = field(default_factory=Estimates)
    logs: Memory = field(default_factory=Memory)
    clock: Clock = clock.now


async def _house(request: Request) -> House:  # not a plain def: that would cost every request a thread
    return cast("House", request.app.state.house)


HouseDep = Annotated[House, Depends(_house)]
