"""What `doctor` says about one part."""

from collections.abc import Callable
from typing import Literal, NamedTuple


class Finding(NamedTuple):
    part: str
    state: Literal["ok", "warn", "fail"]
    words: str
    todo: str = ""


Check = Callable[[], Finding]


def look(part: str, check: Check) -> Finding:
    """A check that breaks is a finding too: the other ones are still to be made."""
    try:
        return check()
    except Exception as error:  # whatever it is, it is what the doctor was called for
        return Finding(part, "fail", f"{type(error).__name__}: {error}")
