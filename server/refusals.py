"""What pydantic finds wrong with a request, in plain words that say what is allowed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dreamer_core.config.parse import suggestion

# Every pattern that a value of the API must match. A test compares this with the API's description.
PATTERNS = {
    r"^[0-9a-f]{7,40}$": "must be a commit: 7 to 40 of the digits 0-9 and a-f",
    r"^[0-9a-f]{4,40}$": "must be a commit or its beginning: 4 to 40 of the digits 0-9 and a-f",
    r"^[a-z0-9][a-z0-9_.-]{0,59}$": "must be at most 60 small letters, digits, dots, dashes or underscores",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$": "must be at most 60 letters, digits, dots, dashes or underscores",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$": "must be at most 80 letters, digits, dots, dashes or underscores",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}(@[0-9]{1,8})?$": "must be a NAME or NAME@VERSION, as cartpole@2",
    r"^([A-Za-z0-9][A-Za-z0-9._-]{0,79}(@[0-9]{1,8})?)?$": "must be a NAME or NAME@VERSION, as cartpole@2",
    r"^(latest|[0-9]{1,8})$": "must be a version's number, or latest",
    r"^[0-9a-z]{1,12}$": "must be an id: at most 12 small letters and digits",
    r"^[0-9a-fA-F]{64}$": "must be a SHA-256: 64 of the digits 0-9 and a-f",
    r"^[\x21-\x7e]+$": "must be plain characters without spaces",
    r"^[^\x00]*$": "may not hold the character NUL",
    r"^[^\x00-\x1f\x7f]*$": "must be one line without control characters",
    r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$": "must be one line with something to see in it",
    r"^[^\x00]*[^\x00\s][^\x00]*$": "must have something to see in it, and no NUL",
    r"^[0-9]*$": "must be a number",
}
_WHOLE, _NUMBER, _TEXT = "must be a whole number", "must be a number", "must be text"
_KINDS = {
    "missing": "is needed",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": "is too large a number",
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": _TEXT,
    "string_unicode": "must be text whose characters are whole",
    "list_type": "must be a list",
    "dict_type": "must be an object with keys",
    "model_type": "must be an object with keys",
    "model_attributes_type": "must be an object with keys",
}
# With what the rule says in it.
_BOUNDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda rule: f"must be at least {rule['ge']}",
    "less_than_equal": lambda rule: f"must be at most {rule['le']}",
    "greater_than": lambda rule: f"must be above {rule['gt']}",
    "less_than": lambda rule: f"must be below {rule['lt']}",
    "string_too_long": lambda rule: f"may have at most {rule['max_length']} characters",
    "string_too_short": lambda rule: (
        "may not be empty" if rule["min_length"] == 1 else f"must have at least {rule['min_length']} characters"
    ),
    "too_long": lambda rule: f"may have at most {rule['max_length']} entries",
    "too_short": lambda rule: f"must have at least {rule['min_length']}",
    "literal_error": lambda rule: f"must be {rule['expected']}",
    "enum": lambda rule: f"must be {rule['expected']}",
    "value_error": lambda rule: str(rule["error"]),
    "string_pattern_mismatch": lambda rule: PATTERNS.get(rule["pattern"], f"must match {rule['pattern']}"),
    "json_invalid": lambda rule: f"is no JSON: {rule['error']}",
}


def in_words(error: Mapping[str, Any], known: Sequence[str] = ()) -> str:
    """What follows the name of the field. `known`: the names that stand beside one that nobody knows."""
    kind, rule = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), known)
    if kind in _BOUNDS:
        return _BOUNDS[kind](rule)
    return _KINDS.get(kind) or str(error["msg"])


def sentence(error: Mapping[str, Any]) -> str:
    """For a form, where the field's name stands above it."""
    words = in_words(error)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def place_of(error: Mapping[str, Any]) -> str:
    """`body.limits.foo`. Of what is no JSON at all, pydantic names a character and not a field."""
    parts = error["loc"][:1] if error["type"] == "json_invalid" else error["loc"]
    return ".".join(str(part) for part in parts)


def named(error: Mapping[str, Any]) -> str:
    """The field as whoever wrote the request knows it: in the body, without saying so."""
    place = place_of(error)
    return place.removeprefix("body.").removeprefix("query.").removeprefix("path.")


def known_beside(model: Any, place: Sequence[str | int]) -> list[str]:
    """The fields that the model has where an unknown one was found."""
    for part in place[:-1]:
        model = None if isinstance(part, int) else _model_in(getattr(model, "model_fields", {}).get(part))
    return sorted(getattr(model, "model_fields", {}))


def _model_in(field: Any) -> Any:
    """A field's model, also where it may be null."""
    kind = getattr(field, "annotation", None)
    options = [kind, *getattr(kind, "__args__", ())]
    return next((option for option in options if hasattr(option, "model_fields")), None)


def _unknown(name: str, known: Sequence[str]) -> str:
    allowed = f"; there is {', '.join(known)}" if known else ""
    return f"is not known here{suggestion(name, known)}{allowed}"
