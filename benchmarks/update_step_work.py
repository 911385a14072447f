"""The shapes that are compared, in the words of each side. No imports but the standard library: peers read it too."""

from typing import NamedTuple


class Workload(NamedTuple):
    """One update's shapes; networks are as wide on both sides. `is_pixels` is 64x64x3, otherwise it is four numbers."""

    batch: int
    length: int
    actions: int
    is_pixels: bool
    deter: int
    units: int
    classes: int
    updates: int  # of one turn


WORKLOADS = {
    "W1": Workload(16, 64, 2, False, deter=512, units=256, classes=32, updates=1),
    "W2": Workload(16, 64, 6, True, deter=0, units=0, classes=0, updates=1),  # sizes 12m (A) and XS (B) as they are
    "W3": Workload(32, 25, 2, False, deter=256, units=64, classes=4, updates=5),
}

# A: block GRU, RMSNorm, one LaProp with a replay critic. B: dense LayerNorm GRU, three Adams.
CLASSES = {"A": "block GRU, RMSNorm", "B": "LayerNorm GRU"}


def our_words(work: Workload, kind: str) -> tuple[str, list[str]]:
    """A preset, and what to change in it."""
    words = [f"algo.per_rank_batch_size={work.batch}", f"algo.per_rank_sequence_length={work.length}"]
    if work.is_pixels:
        return ("nature-12m" if kind == "A" else "sheeprl-XS"), words
    model = "world_model"
    words += [
        f"algo.dense_units={work.units}",
        f"{model}.discrete_size={work.classes}",
        f"{model}.recurrent_model.recurrent_state_size={work.deter}",
        f"{model}.transition_model.hidden_size={work.units}",
        f"{model}.representation_model.hidden_size={work.units}",
    ]
    if kind == "A":
        return "nature", [*words, f"{model}.recurrent_model.hidden_size={work.units}"]
    depths = ["algo.mlp_layers=3", f"{model}.reward_model.mlp_layers=1", f"{model}.discount_model.mlp_layers=1"]
    return "sheeprl-XS", [*words, *depths]


def sheeprl_words(work: Workload, kind: str) -> list[str]:
    """The same as overrides of sheeprl's own configuration."""
    shapes = [f"algo.per_rank_batch_size={work.batch}", f"algo.per_rank_sequence_length={work.length}"]
    algo = {"A": "dreamer_v3_5", "B": "dreamer_v3"}[kind]
    if work.is_pixels:
        return [f"exp={algo}", f"algo={algo}_{'12M' if kind == 'A' else 'XS'}", *_keys("rgb", ""), *shapes]
    model = "algo.world_model"
    words = [
        f"exp={algo}",
        f"algo={algo}_{'1M' if kind == 'A' else 'XS'}",
        "env=gym",
        "env.id=CartPole-v1",
        *_keys("", "vector"),
        *shapes,
        f"algo.dense_units={work.units}",
        f"{model}.discrete_size={work.classes}",
        f"{model}.recurrent_model.recurrent_state_size={work.deter}",
    ]
    if kind == "A":
        return [*words, f"{model}.recurrent_model.hidden_size={work.units}"]
    parts = {"encoder": 3, "observation_model": 3, "reward_model": 1, "discount_model": 1}
    depths = [f"{model}.{part}.mlp_layers={count}" for part, count in parts.items()]
    widths = [f"{model}.{part}.hidden_size={work.units}" for part in ("transition_model", "representation_model")]
    return [*words, *depths, *widths, "algo.actor.mlp_layers=3", "algo.critic.mlp_layers=3"]


def _keys(images: str, vectors: str) -> list[str]:
    keys = {"cnn": images, "mlp": vectors}
    return [f"algo.{net}_keys.{part}=[{name}]" for net, name in keys.items() for part in ("encoder", "decoder")]
