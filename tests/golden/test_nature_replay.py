"""What the `nature` recipe keeps in replay: the rows of sheeprl 0.8.4, and its beliefs written back."""

import torch
from torch import Tensor

from dreamer_core.replay.buffer import Replay
from dreamer_core.training.ratio import Ratio
from dreamer_core.types import State
from tests.golden.counting_rows import ENVS, check_rows, collect_like, updates_at
from tests.golden.fixtures import load
from tests.golden.maths import NO_CAP
from tests.golden.tiny import CLASSES, DETER, STOCH
from tests.golden.tolerances import EXACT, assert_near
from tests.golden.translate import config_from

CONFIG = config_from(load("nature_train_discrete").settings, "nature")


def test_replay_holds_the_reference_s_rows_at_terminations_and_truncations() -> None:
    golden = load("nature_replay_rows")
    replay, envs = collect_like(golden, CONFIG)
    check_rows(golden, replay, envs)
    for env in range(ENVS):  # a row is known by its environment and its number there
        stepid = golden.outputs[f"env{env}.stepid"].long()
        assert stepid.tolist() == [[env, number] for number in range(len(stepid))]


def test_beliefs_are_written_back_to_the_rows_they_came_from_but_not_to_the_context() -> None:
    golden = load("nature_replay_rows")
    replay, _ = collect_like(golden, CONFIG)
    counts = [len(golden.outputs[f"env{env}.state"]) for env in range(ENVS)]
    before = [_stored(replay, env, count) for env, count in enumerate(counts)]
    ids = golden.outputs["step_ids"][:, golden.settings["replay_context"] :]
    for number, rows in enumerate(ids, start=1):
        env, time = rows.unbind(-1)
        replay.write_latents(time, env, _marked(number, env.shape))
    for env, count in enumerate(counts):
        touched = torch.tensor([(ids == torch.tensor([env, row])).all(-1).any() for row in range(count)])
        deter, stoch = _stored(replay, env, count)
        assert_near("deter", deter[touched], golden.outputs[f"env{env}.deter_after"][touched], EXACT)
        assert_near("stoch", stoch[touched], golden.outputs[f"env{env}.stoch_after"][touched], EXACT)
        assert torch.equal(deter[~touched], before[env][0][~touched])
        assert torch.equal(stoch[~touched], before[env][1][~touched])
        assert 0 < int(touched.sum()) < count


def test_updates_come_at_the_reference_s_steps() -> None:
    golden = load("nature_replay_rows")
    assert updates_at(golden, Ratio(golden.settings["replay_ratio"], 0, NO_CAP)) == golden.outputs["env_steps"].tolist()


def _marked(number: int, leading: tuple[int, ...]) -> State:
    """The belief that the fixture's update `number` gives to every row."""
    deter = torch.full((*leading, DETER), float(number))
    index = torch.full((*leading, STOCH), number % CLASSES)
    return State(deter, torch.nn.functional.one_hot(index, CLASSES).float())


def _stored(replay: Replay, env: int, count: int) -> tuple[Tensor, Tensor]:
    """(count, D) and class numbers (count, S) as replay holds them now."""
    beliefs = [rows_of_one(replay, env, row) for row in range(count)]
    return torch.cat([b.deter for b in beliefs]), torch.cat([b.stoch for b in beliefs]).argmax(-1).float()


def rows_of_one(replay: Replay, env: int, row: int) -> State:
    belief = replay.ring.belief(replay.ring.cells(torch.tensor([row]), torch.tensor([env])))
    assert belief is not None
    return belief
