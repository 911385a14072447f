"""Seeds as people type them: 0,1,2 or 0-2 or both."""

from dreamer_core.cli.server_options import commas
from dreamer_core.errors import UsageError

_MOST = 1000  # that the server takes at once


def read_seeds(text: str | None) -> list[int]:
    seeds = [seed for part in commas(text) for seed in _range(part.strip())]
    for place, seed in enumerate(seeds):
        if seed in seeds[:place]:
            raise UsageError(f"--seeds names {seed} twice: the same seed again is the same run")
    return seeds


def _range(part: str) -> range:
    first, dash, last = part.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UsageError(f"--seeds takes whole numbers and ranges like 0-2 with commas between, got {part!r}")
    begin, end = int(first), int(last or first)
    if not begin <= end < begin + _MOST:
        raise UsageError(f"--seeds: {part} must go up, and hold at most {_MOST} seeds")
    return range(begin, end + 1)
