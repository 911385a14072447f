"""What a list of runs shows, as its address says it: filters, order, metrics. The page remembers nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from server.errors import InvalidError
from server.refusals import in_words, place_of
from server.runs.search import RunQuery
from server.tables import RunState

DEFAULT_SORT = "-created_at"
DEFAULT_METRICS = ("eval/mean_return",)
# Filters of one value. Those without a field of their own in the form come from links.
EQUAL = ("experiment", "kind", "preset", "env", "family", "fingerprint", "seed_group", "commit", "parent")
_MOST_METRICS = 6
_LONGEST = 200
_LARGEST_FIRST = ("created_at", "env_steps", "metric:")  # columns whose first click shows the largest
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class ListAddress:
    q: str = ""
    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    equal: tuple[tuple[str, str], ...] = ()
    deleted: bool = False
    metrics: tuple[str, ...] = DEFAULT_METRICS
    sort: str = DEFAULT_SORT
    by_seeds: bool = False
    cursor: str | None = None

    @classmethod
    def read(cls, params: QueryParams) -> "ListAddress":
        """What is unknown or too much in an address is ignored, so that an old link still opens."""
        metrics = tuple(dict.fromkeys(filter(None, map(_text, params.get("metrics", "").split(",")))))
        return cls(
            q=_text(params.get("q", "")),
            states=tuple(state for state in params.getlist("state") if state in set(RunState)),
            tags=tuple(filter(None, map(_text, params.getlist("tag")))),
            equal=tuple((name, _text(params[name])) for name in EQUAL if _text(params.get(name, ""))),
            deleted=params.get("deleted") == "true",
            metrics=metrics[:_MOST_METRICS] if "metrics" in params else DEFAULT_METRICS,
            sort=_text(params.get("sort", "")) or DEFAULT_SORT,
            by_seeds=params.get("group") == "seeds",
            cursor=params.get("cursor") or None,
        )

    def query(self) -> RunQuery:
        """The same, as the API is asked."""
        asked = {"state": self.states, "tag": self.tags, "q": self.q or None, **dict(self.equal)}
        try:
            return RunQuery.model_validate({**asked, "deleted": self.deleted, "sort": self.sort, "cursor": self.cursor})
        except ValidationError as error:
            first = error.errors()[0]
            where = place_of(first)
            raise InvalidError(f"{where}: {in_words(first)}", where=where) from None

    @property
    def experiment(self) -> str:
        return dict(self.equal).get("experiment", "")

    @property
    def seed_group(self) -> str:
        return dict(self.equal).get("seed_group", "")

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.states or self.tags or self.equal or self.deleted or self.cursor)

    @property
    def link_filters(self) -> list[tuple[str, str, str]]:
        """Filters without a field of their own: name, value, and the address without them."""
        return [(name, value, self.url(**{name: ""})) for name, value in self.equal if name != "experiment"]

    def url(self, **changes: str) -> str:
        """The address of this list with some words changed. Where a page goes on (`cursor`) is not kept."""
        words: list[tuple[str, str]] = []
        for name, value in {**self._words(), **changes}.items():
            values = [value] if isinstance(value, str) else value
            words.extend((name, each) for each in values if each)
        return f"/runs?{urlencode(words)}" if words else "/runs"

    def sorted_by(self, column: str) -> str:
        """The address that sorts by a column; the other way round where it is sorted by it already."""
        first = f"-{column}" if column.startswith(_LARGEST_FIRST) else column
        other = column if first.startswith("-") else f"-{column}"
        return self.url(sort=other if self.sort == first else first)

    def _words(self) -> Mapping[str, str | Sequence[str]]:
        return {
            "q": self.q,
            "state": self.states,
            "tag": self.tags,
            **dict(self.equal),
            "deleted": "true" if self.deleted else "",
            "metrics": "" if self.metrics == DEFAULT_METRICS else ",".join(self.metrics),
            "group": "seeds" if self.by_seeds else "",
            "sort": "" if self.sort == DEFAULT_SORT else self.sort,
        }


def _text(value: str) -> str:
    return _CONTROL.sub("", value).strip()[:_LONGEST]
