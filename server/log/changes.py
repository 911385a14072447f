"""What differs between configs, as dotted keys; and what most of several configs have in common. Pure."""

import json
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dreamer_core.config.parse import dotted_items
from server.log.out import Change

# Where it runs and how it is watched changes no number, and a seed is no change.
_OPERATIONAL = ("device", "seed")
_ABSENT: Any = object()
_PLAIN = (str, int, float, bool, type(None))

Flat = dict[str, Any]


def flat(config: Mapping[str, Any], commit: str | None = None) -> Flat:
    """Dotted keys that matter, and the commit where it is known."""
    kept = {key: _shared(value) for key, value in dotted_items(config).items() if matters(key)}
    return {"commit": commit, **kept} if commit else kept


def matters(key: str) -> bool:
    return key not in _OPERATIONAL and not key.startswith("run.")


def changes(before: Flat, after: Flat) -> list[Change]:
    """In the order of the newer one; what it no longer has comes last. A commit that one side does not say is none."""
    keys = [key for key in after if after[key] is not before.get(key, _ABSENT)]  # most are the very same: see _shared
    keys += [key for key in before if key not in after]
    known = [key for key in keys if key != "commit" or (key in before and key in after)]
    return [
        Change(key=key, before=before.get(key), after=after.get(key))
        for key in known
        if not (key in before and key in after and _word(before[key]) == _word(after[key]))
    ]


def common(configs: Sequence[Flat]) -> Flat:
    """The value of each key that most have; of several, the one that came first. A key that most lack is left out."""
    found: Flat = {}
    for key in dict.fromkeys(key for config in configs for key in config):
        values = [config.get(key, _ABSENT) for config in configs]
        most = _most_common(values)
        if most is not _ABSENT:
            found[key] = most
    return found


def _most_common(values: Sequence[Any]) -> Any:
    if all(value is values[0] for value in values):
        return values[0]
    words = [_word(value) for value in values]
    [(most, _)] = Counter(words).most_common(1)
    return values[words.index(most)]


def _shared(value: Any) -> Any:
    """Equal values become one object, so that to compare hundreds of configs is to compare addresses."""
    return _first(value) if isinstance(value, _PLAIN) else value


@lru_cache(maxsize=4096, typed=True)
def _first(value: Any) -> Any:
    return value


def _word(value: Any) -> Hashable:
    """1 and 1.0 are different words, and true is no 1; a list is a word too."""
    return (type(value), value) if value is _ABSENT or isinstance(value, _PLAIN) else json.dumps(value, sort_keys=True)
