"""What must hold between neighbouring rows of every environment."""

from collections.abc import Mapping

from torch import Tensor

from dreamer_core.errors import DreamgateError


def check_history(rows: Mapping[str, Tensor], start: int, no_action: float) -> None:
    """`rows` are [T, N, ...] in order of time, the first one at absolute time `start`.

    That `continues` is 0 only where an episode terminated needs no check: it is not stored, but derived from that flag.
    """
    is_first, is_last = rows["is_first"], rows["terminated"] | rows["truncated"]
    step = rows["episode_id"].diff(dim=0)
    has_action = (rows["action"] != no_action).any(-1)
    _refuse(is_last & has_action, start, "the last row of an episode has an action")
    _refuse(step < 0, start + 1, "the episode id is lower than in the row before")
    _refuse((step != 0) != is_first[1:], start + 1, "is_first and a new episode id must come together")
    _refuse(is_last[:-1] & ~is_first[1:], start + 1, "the row after a last row is not a first row")
    _refuse(is_first[1:] & ~is_last[:-1], start + 1, "a first row follows a row that is not a last row")
    if start == 0:
        _refuse(~is_first[:1], start, "the very first row is not a first row")


def _refuse(broken: Tensor, start: int, what: str) -> None:
    if broken.any():
        time, env = (int(index) for index in broken.nonzero()[0])
        raise DreamgateError(f"replay is inconsistent in environment {env} at time {start + time}: {what}")
