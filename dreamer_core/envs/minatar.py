"""MinAtar: five Atari games on a grid of 10x10 cells. The package is imported when one is made, not before."""

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dreamer_core.config.tree import EnvConfig
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
    """One game, seen as one `state` of zeros and ones: its cells row by row, each with its channels.

    As an image the same is a `grid` of black and white, with a channel for each kind of thing instead of colours.
    The actions are those that do something in the game.
    """

    def __init__(self, game: "minatar.Environment", *, as_image: bool = False, ends_by_clock: bool = False) -> None:
        self.game = game
        self.as_image = as_image
        self.ends_by_clock = ends_by_clock
        self._actions = tuple(game.minimal_action_set())
        height, width, channels = game.state_shape()
        image = ObsSpec(kind="image", shape=(channels, height, width))
        vector = ObsSpec(kind="vector", shape=(height * width * channels,))
        self.spaces = Spaces(
            obs={"grid": image} if as_image else {"state": vector},
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
        cells = self.game.state()
        if self.as_image:
            return {"grid": np.ascontiguousarray(cells.transpose(2, 0, 1)).astype(np.uint8) * np.uint8(255)}
        return {"state": cells.astype(np.float32).reshape(-1)}


def make_minatar(config: EnvConfig) -> MinAtarEnv:
    if importlib.util.find_spec("minatar") is None:
        raise MissingExtraError(f"env.id={config.id}", extra="minatar", package="minatar")
    import minatar

    game = minatar.Environment(_GAMES[config.id], sticky_action_prob=_STICKY, difficulty_ramping=True)
    return MinAtarEnv(game, as_image=config.obs == "pixels", ends_by_clock=config.id in _ENDS_BY_CLOCK)
