"""`--dry-run`: everything a run would be, printed whatever the log level, and nothing written."""

import json
from typing import Any

from dreamer_core.config import Config


def show(config: Config, *, as_json: bool) -> None:
    from dreamer_core.training.estimate import estimate

    found = estimate(config).to_mapping()
    print(json.dumps(found) if as_json else render(found))


def render(found: dict[str, Any]) -> str:
    import yaml

    parameters = ", ".join(f"{name} {count:,}" for name, count in found["parameters"].items())
    rows = {
        "preset": f"{found['preset']} (recipe {found['recipe']})",
        "observations": ", ".join(f"{key} {o['kind']} {o['shape']}" for key, o in found["observation_space"].items()),
        "actions": f"{found['action_space']['kind']} {found['action_space']['sizes']}",
        "device": found["device"],
        "parameters": parameters,
        "replay when full": megabytes(found["replay_bytes"]),
        "memory, about": megabytes(found["memory_bytes"]),
        "fingerprint": found["fingerprint"],
        "family": found["family"],
    }
    table = "\n".join(f"{name:<17}{value}" for name, value in rows.items())
    return f"{yaml.safe_dump(found['config'], sort_keys=False)}\n{table}"


def megabytes(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
