"""JSON from outside that is to be stored: not too deep, and nothing in it that a database or a reader cannot hold."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

LARGEST = 2**53  # the largest whole number that every reader of JSON gets right
_DEEPEST = 12

Count = Annotated[int, Field(ge=0, le=LARGEST)]
# Postgres stores no NUL. (Halves of characters, which no UTF-8 holds, pydantic itself refuses.)
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


def check(value: Any, depth: int = 0) -> Any:
    """The value itself. Raises ValueError, with the reason, where it cannot be kept as it is."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"whole numbers go up to {LARGEST}")
    elif isinstance(value, Mapping | list):
        if depth == _DEEPEST:
            raise ValueError(f"values may be nested {_DEEPEST} deep")
        for item in [*value, *value.values()] if isinstance(value, Mapping) else value:
            check(item, depth + 1)
    return value


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ValueError("text may not hold the character NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text may not hold half a character (a lone surrogate)") from None


JsonObject = Annotated[dict[str, Any], AfterValidator(check)]
