"""What differs between configs, as dotted keys; and what most of several configs have in common. Pure."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dreamer_core.config.parse import dotted_items
from server.log.out import Change

# Where it runs and how it is watched changes no number, and a seed is no change.
_OPERATIONAL = ("device", "seed")
_ABSENT = ""  # no JSON is written like this

Flat = dict[str, Any]


def flat(config: Mapping[str, Any], commit: str | None = None) -> Flat:
    """Dotted keys that matter, and the commit where it is known."""
    kept = {key: value for key, value in dotted_items(config).items() if matters(key)}
    return {"commit": commit, **kept} if commit else kept


def matters(key: str) -> bool:
    return key not in _OPERATIONAL and not key.startswith("run.")


def changes(before: Flat, after: Flat) -> list[Change]:
    """In the order of the newer one; what it no longer has comes last. A commit that one side does not say is none."""
    keys = [*after, *(key for key in before if key not in after)]
    known = [key for key in keys if key != "commit" or (key in before and key in after)]
    return [
        Change(key=key, before=before.get(key), after=after.get(key))
        for key in known
        if _word(before, key) != _word(after, key)
    ]


def common(configs: Sequence[Flat]) -> Flat:
    """The value of each key that most have; of several, the one that came first. A key that most lack is left out."""
    found: Flat = {}
    for key in dict.fromkeys(key for config in configs for key in config):
        words = Counter(_word(config, key) for config in configs)
        most, _ = words.most_common(1)[0]
        if most != _ABSENT:
            found[key] = json.loads(most)
    return found


def _word(config: Flat, key: str) -> str:
    """1 and 1.0 are different words, and true is no 1; a list is a word too."""
    return json.dumps(config[key], sort_keys=True) if key in config else _ABSENT
