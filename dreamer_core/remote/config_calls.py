"""Configurations: what there is to start from, which keys there are, and what a config would be before it is a job."""

from collections.abc import Mapping, Sequence
from typing import Any

from dreamer_core.remote.calls import Calls, present
from dreamer_core.remote.errors import Unreadable
from dreamer_core.remote.reading import read, read_all
from dreamer_core.remote.shapes import Preset, PresetConfig, Validated
from dreamer_core.remote.transport import segment

_ESTIMATE_S = 130.0  # for one attempt: the server gives an estimate a minute, and as long to the one before it


class ConfigCalls(Calls):
    def presets(self) -> tuple[Preset, ...]:
        return read_all(Preset, self._http.json("GET", "/presets"))

    def get_preset(self, name: str) -> PresetConfig:
        """The whole config of a preset, or of several joined by +."""
        return read(PresetConfig, self._http.json("GET", f"/presets/{segment(name)}"))

    def config_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of a config: types, choices, defaults, and what each key means."""
        found = self._http.json("GET", "/config/schema")
        if not isinstance(found, dict) or "properties" not in found:
            raise Unreadable("The server's schema of a config has no properties.")
        return found

    def validate(
        self,
        words: Sequence[str] = (),
        *,
        config: Mapping[str, Any] | None = None,
        seeds: Sequence[int] = (),
        estimate: bool = False,
    ) -> Validated:
        """What a job of these words would be; nothing is stored. What is wrong is a RemoteError of status 422.

        `estimate`: also count parameters and memory, which takes seconds.
        """
        asked = {"words": list(words), "config": config, "seeds": list(seeds) or None, "estimate": estimate}
        timeout_s = _ESTIMATE_S if estimate else None
        return read(Validated, self._http.json("POST", "/validate", present(asked), timeout_s=timeout_s))
