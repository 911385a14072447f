"""MinAtar: five Atari games on a grid of 10x10 cells. The package is imported when one is made, not before."""

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
from dreamer_core.envs.pixels import refuse_pixels
from dreamer_core.errors import MissingExtraError
from dreamer_core.types import ActionSpec, ObsSpec, Spaces, Step

if TYPE_CHECKING:
    import minatar

# Our names are those of the package's Gymnasium ids; its modules have others.
_GAMES = {
    "minatar/Asterix": "asterix",
    "minatar/Breakout": "breakout",
    "minatar/Freeway": "freeway",
    "minatar/Seaquest": "seaquest",
    "minatar/SpaceInvaders": "space_invaders",
}
ALLOWED = tuple(_GAMES)
# Nobody can lose there: the only end is a clock that the screen does not show.
_ENDS_BY_CLOCK = ("minatar/Freeway",)
_STICKY = 0.1  # how often the last action is taken again in place of the one given; MinAtar's default


class MinAtarEnv:
    """One game: its cells, row by row, each with its channels, as one `state` of zeros and ones.

    The actions are those that do something in the game.
    """

    def __init__(self, game: "minatar.Environment", *, ends_by_clock: bool = False) -> None:
        self.game = game
        self.ends_by_clock = ends_by_clock
        self._actions = tuple(game.minimal_action_set())
        self.spaces = Spaces(
            obs={"state": ObsSpec(kind="vector", shape=(int(np.prod(game.state_shape())),))},
            action=ActionSpec(kind="discrete", sizes=(len(self._actions),)),
        )

    def reset(self, seed: int) -> Step:
        self.game.seed(seed)
        self.game.reset()
        self.game.last_action = 0  # which its reset forgets: a sticky first action would be one of the last episode
        return Step(self._look(), 0.0, False, False)

    def step(self, action: NDArray[np.generic]) -> Step:
        reward, is_over = self.game.act(self._actions[int(action[0])])
        truncated = bool(is_over and self.ends_by_clock)
        return Step(self._look(), float(reward), bool(is_over and not truncated), truncated)

    def close(self) -> None: ...

    def _look(self) -> dict[str, NDArray[np.generic]]:
        return {"state": self.game.state().astype(np.float32).reshape(-1)}


def make_minatar(config: EnvConfig) -> MinAtarEnv:
    refuse_pixels(config)
    if importlib.util.find_spec("minatar") is None:
        raise MissingExtraError(f"env.id={config.id}", extra="minatar", package="minatar")
    import minatar

    game = minatar.Environment(_GAMES[config.id], sticky_action_prob=_STICKY, difficulty_ramping=True)
    return MinAtarEnv(game, ends_by_clock=config.id in _ENDS_BY_CLOCK)
