"""What every job of a worker is supervised with."""

from dataclasses import dataclass

from dreamer_core.remote import Client
from worker.places import Places
from worker.settings import Settings
from worker.source import Source


@dataclass(frozen=True, kw_only=True)
class Tools:
    settings: Settings
    client: Client  # for what takes its time
    heart: Client  # for heartbeats: gives up quickly, and waits for nothing else
    places: Places
    source: Source
