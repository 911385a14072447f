"""Metrics and events: append by offset, read back, draw, export."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from dreamer_core.metrics.jsonsafe import loads_numbers
from dreamer_core.remote.calls import Calls, present, total
from dreamer_core.remote.download import download
from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.numbers import Curves, Key, Records
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.shapes import Event, Page
from dreamer_core.remote.transport import segment

Values = Mapping[str, float | int | str]  # the words "NaN", "Infinity" and "-Infinity" may stand for themselves
Format = Literal["json", "csv", "arrow", "parquet"]
Axis = Literal["env_steps", "train_steps", "wall_time_s"]


class MetricCalls(Calls):
    def append_metrics(
        self,
        run_id: str,
        offset: int,
        records: Sequence[Values] | None = None,
        *,
        columns: Mapping[str, Sequence[float | int | None]] | None = None,
        lease: str | None = None,
    ) -> int:
        """How many records the run has now. `offset` is the number of the first one sent: what is known is skipped.

        At most 20,000 records, 2,000 keys and 8 MiB at once. Give records, or columns of one length (None: missing).
        """
        if (records is None) == (columns is None):
            raise ValueError("give records or columns, one of them")
        what = {"records": list(records)} if records is not None else {"columns": dict(columns or {})}
        body = {"offset": offset, **what}
        return total(self._http.json("POST", f"/runs/{segment(run_id)}/metrics", body, lease=lease), "records")

    def records(self, run_id: str, first: int = 0, limit: int = 1000, keys: Sequence[str] = ()) -> Records:
        params = {"from": first, "limit": limit, "keys": ",".join(keys) or None}
        found = loads_numbers(self._http.call("GET", f"/runs/{segment(run_id)}/records", params=params).content)
        try:
            return Records(first=found["from"], records=tuple(found["records"]), total=found["total"])
        except (KeyError, TypeError):
            raise Unreadable("The server's answer to a question for records has no from, records or total.") from None

    def keys(self, run_id: str) -> tuple[Key, ...]:
        return read_all(Key, self._http.json("GET", f"/runs/{segment(run_id)}/keys"))

    def curves(
        self,
        runs: Sequence[str],
        keys: Sequence[str],
        points: int = 1000,
        *,
        from_step: int | None = None,
        to_step: int | None = None,
        x: Axis = "env_steps",
    ) -> Curves:
        """At most `points` entries for each of up to 100 runs and 50 keys."""
        asked = {"runs": list(runs), "keys": list(keys), "points": points, "from_step": from_step, "to_step": to_step}
        return read(Curves, self._http.json("POST", "/curves", {**present(asked), "x": x}))

    def export(self, run_id: str, format: Format, to: Path, keys: Sequence[str] = ()) -> Path:
        """All records, exactly, in a file that appears when it is complete."""
        params = {"format": format, "keys": ",".join(keys) or None}
        return download(self._http, f"/runs/{segment(run_id)}/export", to, params=params)

    def append_events(
        self, run_id: str, offset: int, events: Sequence[Mapping[str, Any]], lease: str | None = None
    ) -> int:
        """How many events of the core the run has now."""
        body = {"offset": offset, "events": list(events)}
        return total(self._http.json("POST", f"/runs/{segment(run_id)}/events", body, lease=lease), "events")

    def events(self, run_id: str, after: int | str = 0, limit: int | None = None) -> Page[Event]:
        """What happened to a run, oldest first; `next` of a page is the `after` of the one behind it."""
        return self._page(Event, f"/runs/{segment(run_id)}/events", {"after": after, "limit": limit})
