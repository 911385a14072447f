"""Experiments: found by id or by name, and their logs."""

from typing import Any

from dreamer_core.remote.calls import Calls
from dreamer_core.remote.errors import NotFound
from dreamer_core.remote.reading import read
from dreamer_core.remote.shapes import Experiment
from dreamer_core.remote.transport import segment

_MOST_GROUPS = 500  # the most that the server puts into one log


class ExperimentCalls(Calls):
    def find_experiment(self, name_or_id: str) -> Experiment:
        """A name wins over an id. NotFound where it is neither."""
        for experiment in self._every(Experiment, "/experiments", {"q": name_or_id[:200]}):
            if experiment.name == name_or_id:
                return experiment
        try:
            return read(Experiment, self._http.json("GET", f"/experiments/{segment(name_or_id)}"))
        except NotFound as error:
            message = f"There is no experiment {name_or_id!r}."
            raise NotFound("not_found", message, error.status, todo="`dreamgate runs` shows some.") from None

    def experiment_log(self, experiment_id: str) -> dict[str, Any]:
        """What was expected of each seed group, what came of it, what was concluded. The words for NaN stay words."""
        found: dict[str, Any] = self._http.json("GET", _log(experiment_id), params={"groups": _MOST_GROUPS})
        return found

    def experiment_markdown(self, experiment_id: str) -> str:
        """The same as a document for a repository."""
        asked = {"format": "markdown", "groups": _MOST_GROUPS}
        return self._http.call("GET", _log(experiment_id), params=asked).content.decode()


def _log(experiment_id: str) -> str:
    return f"/experiments/{segment(experiment_id)}/log"
