"""Shorthand for tests: records to a body, a body into the store."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session

from dreamer_core.metrics.jsonsafe import dumps
from server.metrics.append import append
from server.metrics.layout import LAYOUT, Layout
from server.metrics.parse import Sent, parse


def sent(offset: int, records: Sequence[Mapping[str, Any]]) -> Sent:
    return parse(dumps({"offset": offset, "records": records}).encode())


def send(
    session: Session, run_id: str, offset: int, records: Sequence[Mapping[str, Any]], layout: Layout = LAYOUT
) -> int:
    return append(session, run_id, sent(offset, records), layout)
