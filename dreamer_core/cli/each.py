"""The same request for each of several jobs: one that is refused does not keep the others from it."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dreamer_core.errors import OK
from dreamer_core.metrics.jsonsafe import dumps

if TYPE_CHECKING:
    from dreamer_core.remote.shapes import Job


def for_each(run_ids: Sequence[str], request: "Callable[[str], Job]", *, as_json: bool) -> int:
    """The exit code: that of the first refusal. A server that cannot be reached ends it at once."""
    from dreamer_core.remote.errors import Conflict, NotFound

    code = OK
    for run_id in run_ids:
        try:
            job = request(run_id)
        except (Conflict, NotFound) as error:
            print(f"dreamgate: {run_id}: {error}", file=sys.stderr)
            code = code or error.exit_code
            continue
        print(dumps({"type": "job", "run": run_id, "state": job.state}) if as_json else f"{run_id} {job.state}")
    return code
