"""A config from words and a layer: the core's rules and words, and nothing in it that a table could not hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamer_core.errors import ConfigError, UsageError
from server.configs.resolve import resolve
from server.errors import InvalidError

BOMB = "algo.horizon=[&a [1,1,1,1,1,1,1,1,1], &b [*a,*a,*a,*a,*a,*a,*a,*a], &c [*b,*b,*b,*b,*b,*b,*b,*b]]"


def test_words_and_layer_make_a_whole_config() -> None:
    found = resolve(["algo.horizon=10"], {"preset": "cartpole", "seed": 3, "env.num_envs": 2})
    assert (found.preset, found.env, found.recipe, found.seed) == ("cartpole", "CartPole-v1", "nature", 3)
    assert found.config["algo"]["horizon"] == 10
    assert found.config["env"]["num_envs"] == 2


def test_words_are_laid_over_the_layer() -> None:
    assert resolve(["preset=debug", "seed=2"], {"preset": "cartpole", "seed": 1}).seed == 2
    assert resolve(["preset=debug"], {"preset": "cartpole"}).preset == "debug"


def test_a_whole_config_resolves_to_itself() -> None:
    found = resolve(["preset=cartpole+sheeprl-XS", "seed=5", "replay.seq_len=null"])
    assert resolve([], found.config) == found


def test_a_wrong_key_is_said_in_the_words_of_the_core() -> None:
    with pytest.raises(ConfigError, match=r"algo\.horizn: unknown key; did you mean algo\.horizon\?"):
        resolve(["algo.horizn=3"])


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        (BOMB, "aliases"),
        ('env.id="a\\0b"', "NUL"),
        ('env.id="\\ud800"', "surrogate"),
        ('algo={"\\ud800": 1}', "surrogate"),
        (f"env.id={'x' * 121}", "120 characters"),
    ],
    ids=["alias", "nul", "surrogate", "surrogate in a key", "long"],
)
def test_what_a_table_cannot_hold_is_refused(word: str, problem: str) -> None:
    with pytest.raises(InvalidError, match=problem):
        resolve([word])


@pytest.mark.parametrize(
    "word",
    [
        "seed=" + "[" * 900,
        "seed=" + "{a: " * 200 + "}" * 200,
        "lr=1" + "0" * 400,
        "algo.total_steps=1" + "0" * 20,
        "seed=-1e400",
        "lr=.inf",
        "env.id=2020-01-01",
        "env.id=!!binary YQ==",
        "seed=!!python/object:os.system x",
        "preset=[a]",
        "preset=" + "debug+" * 100,
        "=1",
        "a.b.c",
    ],
    ids=lambda word: word[:24],
)
def test_strange_words_are_the_callers_mistake(word: str) -> None:
    with pytest.raises((UsageError, InvalidError)):
        resolve([word])


keys = st.sampled_from(
    ["seed", "lr", "algo", "algo.horizon", "env.id", "env", "preset", "run.tag", "a.b", "", "mode", "critic"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.builds("{}={}".format, keys, st.text(max_size=20)), max_size=3),
    st.dictionaries(keys, values, max_size=3),
)
def test_any_words_and_any_layer_resolve_or_are_refused(words: list[str], layer: dict[str, object]) -> None:
    try:
        found = resolve(words, layer)
    except (UsageError, InvalidError):
        return
    assert resolve([], found.config) == found
