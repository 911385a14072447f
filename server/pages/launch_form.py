"""The launch form's fields: from what a browser sends to what `POST /jobs` takes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from server.errors import InvalidError

MOST_SEEDS = 100
# Where a problem can be shown; `form` is the place for all others.
FIELDS = (
    "preset",
    "words",
    "experiment",
    "name",
    "seeds",
    "tags",
    "queue",
    "priority",
    "gpus",
    "commit",
    "hypothesis",
    "primary_metric",
    "stop_rule",
)
_RANGE = re.compile(r"(\d{1,18})(?:\s*-\s*(\d{1,18}))?")


@dataclass(frozen=True, kw_only=True)
class LaunchForm:
    """Every field as text, just as it was typed: a form that is refused comes back unchanged."""

    preset: str = "cartpole"
    over: str = ""
    words: str = ""
    experiment: str = "default"
    name: str = ""
    seeds: str = "0"
    tags: str = ""
    queue: str = "auto"
    priority: str = "0"
    gpus: str = ""
    commit: str = ""
    hypothesis: str = ""
    primary_metric: str = ""
    stop_rule: str = ""
    parent: str = ""

    @classmethod
    def read(cls, sent: Mapping[str, str]) -> "LaunchForm":
        known = {field.name for field in fields(cls)}
        return cls(**{name: value.replace("\r\n", "\n") for name, value in sent.items() if name in known})

    @property
    def whole_preset(self) -> str:
        """Presets are joined by `+`; the later wins."""
        return f"{self.preset}+{self.over}" if self.over else self.preset

    def overrides(self) -> list[str]:
        """A line that begins with # is a remark."""
        lines = (line.strip() for line in self.words.splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    def config_words(self) -> list[str]:
        return [f"preset={self.whole_preset}", *self.overrides()]

    def submission(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What can be read, and what is wrong with the other fields. For what is empty, the API's defaults hold."""
        texts = {
            name: getattr(self, name).strip() for name in ("experiment", "name", "queue", "commit", "primary_metric")
        }
        readers: dict[str, Callable[[str], Any]] = {
            "seeds": parse_seeds,
            "priority": partial(whole_number, "priority"),
            "gpus": partial(whole_number, "gpus"),
        }
        read, problems = dict[str, Any](), dict[str, str]()
        for name, reader in readers.items():
            try:
                read[name] = reader(getattr(self, name))
            except InvalidError as error:
                problems[name] = error.message
        given = {name: value for name, value in (texts | read).items() if value not in ("", None)}
        said = {
            "kind": "train",
            "words": self.config_words(),
            "tags": split_tags(self.tags),
            "hypothesis": self.hypothesis.strip(),
            "stop_rule": self.stop_rule.strip(),
            **given,
        }
        return said, problems


def parse_seeds(text: str) -> list[int] | None:
    """`0, 1, 2` or `0-3` or both; None where nothing is said: then the config's own seed holds."""
    seeds: list[int] = []
    for part in filter(None, (part.strip() for part in re.split(r"[,\n]", text))):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise InvalidError(f"Seeds are whole numbers from 0 and ranges like 0-3, not {part[:40]!r}.", where="seeds")
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < first + MOST_SEEDS:
            raise InvalidError(f"{part} must go up, and hold at most {MOST_SEEDS} seeds.", where="seeds")
        seeds.extend(range(first, last + 1))
    if len(seeds) > MOST_SEEDS:
        raise InvalidError(f"At most {MOST_SEEDS} seeds at once, got {len(seeds)}.", where="seeds")
    return list(dict.fromkeys(seeds)) or None


def split_tags(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (tag.strip() for tag in text.split(",")))))


def whole_number(field: str, text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    try:
        return int(text[:20])
    except ValueError:
        raise InvalidError(f"A whole number is needed, not {text[:40]!r}.", where=field) from None
