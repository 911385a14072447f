"""Who is told about verdicts: addresses with a secret, and one delivery for each verdict and address."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from server.clock import iso
from server.errors import NotFoundError
from server.ids import new_id
from server.runs.rows import is_id
from server.tables import Delivery, SuiteRun, Webhook

MOST = 100


def add(session: Session, url: str, suites: Sequence[str], now: float) -> Webhook:
    row = Webhook(id=new_id(), url=url, secret=secrets.token_urlsafe(32), suites=list(suites), created_at=now)
    session.add(row)
    session.flush()
    return row


def get(session: Session, webhook_id: str) -> Webhook:
    row = session.get(Webhook, webhook_id) if is_id(webhook_id) else None
    if row is None:
        raise NotFoundError.of("webhook", webhook_id)
    return row


def all_of(session: Session) -> list[Webhook]:
    return list(session.exec(select(Webhook).order_by(col(Webhook.created_at), col(Webhook.id)).limit(MOST)))


def remove(session: Session, webhook_id: str) -> None:
    """And what it was still to be sent."""
    session.delete(get(session, webhook_id))
    session.flush()


def announce(session: Session, run: SuiteRun, now: float) -> None:
    """A delivery, due at once, to everybody who wants to hear of this suite."""
    for webhook in all_of(session):
        if not webhook.suites or run.suite in webhook.suites:
            session.add(Delivery(id=new_id(), webhook_id=webhook.id, suite_run_id=run.id, created_at=now, due_at=now))
    session.flush()


def deliveries(session: Session, webhook_id: str, limit: int) -> list[Delivery]:
    """The newest first."""
    query = select(Delivery).where(Delivery.webhook_id == get(session, webhook_id).id)
    return list(session.exec(query.order_by(col(Delivery.created_at).desc(), col(Delivery.id)).limit(limit)))


def message(run: SuiteRun) -> dict[str, Any]:
    """What is sent."""
    said = ("id", "suite", "suite_version", "state", "verdict", "reason", "commit", "branch", "trigger")
    return {
        "event": f"suite_run.{run.state}",
        **{name: getattr(run, name) for name in said},
        "green": bool(run.verdict and run.verdict.is_green),
        "created_at": iso(run.created_at),
        "ended_at": iso(run.ended_at),
        "page": f"/suite-runs/{run.id}",
    }
