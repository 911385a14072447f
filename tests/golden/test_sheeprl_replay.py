"""What the `sheeprl` recipe keeps in replay, when it learns, and how its slow critic moves, as at 33b6366."""

import torch

from dreamer_core.rng import ModeSampler
from dreamer_core.training.learner import Plan
from dreamer_core.training.learner_sheeprl import SheeprlLearner
from dreamer_core.training.ratio import Ratio
from tests.golden.agents import agent_of, batch_of
from tests.golden.counting_rows import check_rows, collect_like, updates_at
from tests.golden.fixtures import load
from tests.golden.maths import NO_CAP
from tests.golden.tolerances import assert_near
from tests.golden.translate import config_from


def test_replay_holds_the_reference_s_rows_at_terminations_and_truncations() -> None:
    golden = load("sheeprl_replay_rows")
    replay, envs = collect_like(golden, config_from(load("sheeprl_train_discrete").settings, "sheeprl"))
    check_rows(golden, replay, envs)


def test_updates_come_at_the_reference_s_steps() -> None:
    golden = load("sheeprl_replay_rows")
    assert updates_at(golden, Ratio(golden.settings["replay_ratio"], 0, NO_CAP)) == golden.outputs["env_steps"].tolist()


def test_the_slow_critic_is_copied_before_the_first_update_and_follows_before_each_later_one() -> None:
    golden, problem = load("sheeprl_replay_rows"), load("sheeprl_train_discrete")
    agent = agent_of(problem)
    learner, batch = SheeprlLearner(agent), batch_of(problem, agent)
    fast, slow = list(agent.critic.parameters())[-1], list(agent.slow_critic.parameters())[-1]
    assert agent.config.critic.tau == golden.settings["tau"]
    for critic_bias, target_bias in zip(golden.outputs["critic_bias"], golden.outputs["target_bias"], strict=True):
        with torch.no_grad():
            fast.copy_(critic_bias)
        learner.update(batch, ModeSampler(), Plan(world_model=False, actor_critic=False))
        assert_near("slow critic", slow, target_bias)
