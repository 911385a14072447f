"""Waiting until a server that was just started answers, or is known not to."""

import json
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from dreamer_core.errors import DreamgateError

_LOOK_S = 0.05
_PATIENCE_S = 60.0


class NotReadyError(DreamgateError):
    """The server, or what it needs, did not come up."""


def wait_until_ready(address: str, given_up: Callable[[], str | None]) -> None:
    """Returns when /health is content. `given_up` says why waiting longer makes no sense."""
    until = time.monotonic() + _PATIENCE_S
    said = "nothing"
    while time.monotonic() < until:
        reason = given_up()
        if reason is not None:
            raise NotReadyError(reason)
        health = ask_health(address, timeout_s=1.0)  # who connects while the server is not there yet waits in line
        if health is not None and health.get("database") == "ok" and health["broker"] != "asking":
            return _refuse_dead_broker(health["broker"])
        said = str(health)
        time.sleep(_LOOK_S)
    raise NotReadyError(f"{address}/health is not content after {_PATIENCE_S:g} s: {said}")


def ask_health(address: str, *, timeout_s: float = 5.0) -> dict[str, str] | None:
    """None where nobody answers yet."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        found: dict[str, str] = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found


def _refuse_dead_broker(broker: str) -> None:
    if broker not in ("ok", "none"):
        raise NotReadyError(
            f"the broker {broker}. Start the one that DREAMGATE_BROKER_URL names, or unset the variable: `up` then "
            "brings its own."
        )
