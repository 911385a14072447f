"""The application: routes, errors, and what lives as long as the server does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from dreamer_core.version import __version__
from server import access, bodies, error_docs, faults, health
from server.compare import routes as compare
from server.configs import routes as configs
from server.database import Database
from server.files import artifact_routes, log_routes
from server.files.store import Store
from server.gates import baseline_routes, gate_routes
from server.house import House
from server.jobs import routes as jobs
from server.jobs import worker_routes
from server.live import event_routes, stream_routes
from server.log import routes as log
from server.metrics import routes as metrics
from server.pages import routes as pages
from server.queue import CeleryWakeUps, NoBroker
from server.runs import annotation_routes, experiment_routes, import_routes, record_routes
from server.runs import routes as runs
from server.settings import Settings
from server.suites import suite_routes, suite_run_routes, webhook_routes
from server.suites.courier import Courier
from server.timer import Timer

API = "/api/v1"
_API_ROUTES = (
    experiment_routes,
    log,
    runs,
    import_routes,
    record_routes,
    annotation_routes,
    jobs,
    worker_routes,
    metrics,
    event_routes,
    stream_routes,
    log_routes,
    artifact_routes,
    baseline_routes,
    gate_routes,
    compare,
    suite_routes,
    suite_run_routes,
    webhook_routes,
    configs,
)


def create_app(settings: Settings) -> FastAPI:
    """Nothing is opened before the application starts; the database must be migrated by then."""
    return build_app(make_house(settings))


def make_house(settings: Settings) -> House:
    return House(
        settings=settings,
        database=Database(settings.database_url),
        store=Store(settings.artifacts_url),
        wake_ups=CeleryWakeUps(settings.broker_url) if settings.broker_url else NoBroker(),
    )


def build_app(house: House) -> FastAPI:
    app = FastAPI(
        title="Dreamgate",
        version=__version__,
        lifespan=_lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,  # FastAPI's own pages load their scripts from elsewhere
        redoc_url=None,
    )
    app.state.house = house
    faults.install(app)
    bodies.install(app)
    access.install(app, house)  # the last one is asked first: who may not come in is not read either
    for module in _API_ROUTES:
        app.include_router(module.router, prefix=API, responses=error_docs.RESPONSES)
    health.install(app, house)
    pages.install(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    house: House = app.state.house
    house.bell.open(asyncio.get_running_loop())
    timer, courier = Timer(house), Courier(house)
    timer.start()
    courier.start()
    try:
        yield
    finally:
        timer.stop()
        courier.stop()
        house.bell.close()
        house.database.close()
