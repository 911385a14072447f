"""The way to a Dreamgate server from any Python program: a typed client, and a sink for anybody's training loop."""

from dreamer_core.remote.client import Client
from dreamer_core.remote.errors import (
    Conflict,
    Gap,
    LeaseLost,
    NotFound,
    RemoteError,
    Unauthorized,
    Undelivered,
    Unreachable,
)
from dreamer_core.remote.questions import Checkpoint, RunFilter, Submission
from dreamer_core.remote.sink import ServerSink

__all__ = [
    "Checkpoint",
    "Client",
    "Conflict",
    "Gap",
    "LeaseLost",
    "NotFound",
    "RemoteError",
    "RunFilter",
    "ServerSink",
    "Submission",
    "Unauthorized",
    "Undelivered",
    "Unreachable",
]
