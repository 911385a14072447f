"""The form that blesses: from what a browser sends to what `POST /baselines` takes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError

from dreamer_core.gates.capture import NEED_CONSENT
from server.errors import InvalidError
from server.gates.baseline_routes import BaselineIn
from server.pages.launch_form import whole_number
from server.refusals import sentence

# Where a problem can be shown; `form` is the place for all others.
FIELDS = ("name", "why", "who", "keys", "last", "env_steps_min", "env_steps_max", "threshold_pct")


@dataclass(frozen=True, kw_only=True)
class BlessForm:
    """Every field as text, just as it was typed: a form that is refused comes back unchanged."""

    runs: str = ""  # ids, with commas between
    seed_group: str = ""
    name: str = ""
    why: str = ""
    who: str = ""
    keys: str = ""
    last: str = ""
    env_steps_min: str = ""
    env_steps_max: str = ""
    threshold_pct: str = "15"
    allow: frozenset[str] = frozenset()

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> "BlessForm":
        """A box for each flag that needs consent: `allow_single_seed`."""
        known = {field.name for field in fields(cls)} - {"allow"}
        texts = {name: value.replace("\r\n", "\n").strip() for name, value in sent.items() if name in known}
        return cls(**texts, allow=frozenset(flag for flag in NEED_CONSENT if f"allow_{flag}" in sent))

    def submission(self) -> BaselineIn:
        """Raises InvalidError for a field."""
        window = {name: whole_number(name, getattr(self, name)) for name in ("env_steps_min", "env_steps_max", "last")}
        said = {
            "name": self.name,
            "who": self.who,
            "why": self.why,
            "runs": [run for run in self.runs.split(",") if run],
            "seed_group": self.seed_group or None,
            "keys": list(dict.fromkeys(filter(None, (key.strip() for key in self.keys.split(","))))),
            "window": {name: value for name, value in window.items() if value is not None},
            "threshold_pct": self._threshold(),
            "allow": sorted(self.allow),
        }
        try:
            return BaselineIn.model_validate(said)
        except ValidationError as error:
            raise _in_words(error) from None

    def _threshold(self) -> float:
        try:
            return float(self.threshold_pct) / 100
        except ValueError:
            raise InvalidError("A percentage is needed, as 15.", where="threshold_pct") from None


def _in_words(error: ValidationError) -> InvalidError:
    first: Any = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    where = place[-1] if place and place[-1] in FIELDS else place[0] if place and place[0] in FIELDS else "form"
    return InvalidError(sentence(first), where=where)
