"""A browser's session: a cookie that says until when, signed so that only this server can have written it."""

import hashlib
import hmac
import secrets

from starlette.requests import cookie_parser

LIFETIME_S = 30 * 24 * 3600


def cookie_name(port: int) -> str:
    """Browsers keep one jar for all ports of a host, and two servers on one machine must not share a cookie."""
    return f"dreamgate_{port}"


def new_session(secret: bytes, now: float) -> str:
    body = f"{int(now + LIFETIME_S)}.{secrets.token_hex(8)}"
    return f"{body}.{_sign(secret, body)}"


def is_open(secret: bytes, session: str, now: float) -> bool:
    body, _, signature = session.rpartition(".")
    if not hmac.compare_digest(_sign(secret, body).encode(), signature.encode()):
        return False
    return float(body.partition(".")[0]) > now


def read_cookie(header: str, name: str) -> str:
    """Empty where there is none. What other programs of the host left in the jar does not matter."""
    return cookie_parser(header).get(name, "")


def _sign(secret: bytes, body: str) -> str:
    return hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()
