"""Every page of the server, put into the application, and the files that they need."""

from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from server.assets import Assets, assets_folder
from server.errors import NotFoundError
from server.pages import (
    api_page,
    baseline_list,
    baseline_page,
    bless,
    compare,
    experiment_pages,
    gate_pages,
    launch,
    login_page,
    more_seeds,
    result_list,
    result_page,
    run_list,
    run_page,
    suite_pages,
    workers_page,
)

OWN = Path(__file__).parent.parent / "static"
_PAGES = (  # in this order: /runs/rows is no run
    run_list,
    run_page,
    experiment_pages,
    launch,
    more_seeds,
    baseline_list,
    baseline_page,
    bless,
    compare,
    gate_pages,
    result_list,
    result_page,
    suite_pages,
    workers_page,
    api_page,
    login_page,
)


def install(app: FastAPI) -> None:
    """The API's description leaves pages out: everything they show, the API answers as well."""
    for module in _PAGES:
        app.include_router(module.router)
    app.add_api_route("/static/vendor/{name}", _vendor_file, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=OWN))


def _vendor_file(name: str) -> Response:
    """One of the few that are known; a path is never made from the request."""
    path = Assets(assets_folder()).files.get(name)
    if path is None or not path.is_file():
        raise NotFoundError.of("file", name)
    return FileResponse(path)
