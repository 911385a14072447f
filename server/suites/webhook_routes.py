"""Routes of webhooks: who is told every verdict."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from server.clock import iso
from server.errors import ConflictError
from server.gates.words import Slug
from server.house import HouseDep
from server.suites import webhooks
from server.tables import Delivery, Webhook

router = APIRouter(tags=["webhooks"])


def _is_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address like https://ci.example.org/dreamgate")
    if parts.username or parts.password:
        raise ValueError("must not hold a password; the signature says who sends")
    return url


class WebhookIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://ci.example.org/dreamgate", "suites": ["cpu-daily"]}]},
    )

    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^[\x21-\x7e]+$"), AfterValidator(_is_address)]
    suites: Annotated[list[Slug], Field(max_length=100)] = Field(default=[], description="absent: all")


class WebhookOut(BaseModel):
    id: str
    url: str
    suites: list[str]
    created_at: str


class WebhookMade(WebhookOut):
    secret: str = Field(description="signs every message; it is told only now")


class DeliveryOut(BaseModel):
    id: str
    suite_run_id: str
    created_at: str
    tries: int
    answer: str | None = Field(description="what the last try came to", examples=["200 OK"])
    next_at: str | None = Field(description="null: taken, or given up")


@router.post("/webhooks", response_model=WebhookMade, status_code=201)
def add_webhook(house: HouseDep, body: WebhookIn) -> WebhookMade:
    """Tell an address every verdict; the answer holds the secret that signs the messages"""
    with house.database.writing() as session:
        if len(webhooks.all_of(session)) >= webhooks.MOST:
            raise ConflictError(f"There are {webhooks.MOST} webhooks already.", todo="Delete one first.")
        row = webhooks.add(session, body.url, body.suites, house.clock())
        return WebhookMade(**_out(row).model_dump(), secret=row.secret)


@router.get("/webhooks", response_model=list[WebhookOut])
def list_webhooks(house: HouseDep) -> list[WebhookOut]:
    """All of them, without their secrets"""
    with house.database.reading() as session:
        return [_out(row) for row in webhooks.all_of(session)]


@router.delete("/webhooks/{webhook_id}", status_code=204)
def remove_webhook(house: HouseDep, webhook_id: str) -> Response:
    """Tell it nothing more"""
    with house.database.writing() as session:
        webhooks.remove(session, webhook_id)
    return Response(status_code=204)


@router.get("/webhooks/{webhook_id}/deliveries", response_model=list[DeliveryOut])
def list_deliveries(house: HouseDep, webhook_id: str) -> list[DeliveryOut]:
    """What it was told, the newest first, and what came of it"""
    with house.database.reading() as session:
        return [_delivery_out(row) for row in webhooks.deliveries(session, webhook_id, limit=100)]


def _out(row: Webhook) -> WebhookOut:
    return WebhookOut(id=row.id, url=row.url, suites=row.suites, created_at=iso(row.created_at))


def _delivery_out(row: Delivery) -> DeliveryOut:
    return DeliveryOut(
        id=row.id,
        suite_run_id=row.suite_run_id,
        created_at=iso(row.created_at),
        tries=row.tries,
        answer=row.answer,
        next_at=iso(row.due_at),
    )
