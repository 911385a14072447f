"""Starting a run, or going on with one."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import torch

from dreamer_core.config import Config
from dreamer_core.config.changes import with_changes
from dreamer_core.config.tree import Device
from dreamer_core.envs.registry import read_spaces
from dreamer_core.errors import CheckpointError, ConfigError
from dreamer_core.models.agent import Agent
from dreamer_core.runs import manifest
from dreamer_core.runs.folder import RunFolder, check_empty, create_run, create_run_in, open_run
from dreamer_core.training import checkpoint
from dreamer_core.training.checkpoint import Snapshot
from dreamer_core.training.collective import Collective, join
from dreamer_core.training.engine import CpuEngine, Engine
from dreamer_core.training.engine_cuda import CudaEngine
from dreamer_core.training.estimate import resolve_device
from dreamer_core.training.session import Reporter, Session
from dreamer_core.training.torch_setup import set_up_torch
from dreamer_core.training.trainer import Trainer, build_trainer


def start_run(
    config: Config, root: Path, reporter: Reporter, *, source: Path | None = None, into: Path | None = None
) -> RunFolder:
    """Train `config` in a new folder below `root`, or exactly in `into`.

    `source` is the checkpoint that mode `dreamer` begins from.
    """
    if (config.mode == "dreamer") != (source is not None):
        problem = "needs --checkpoint PATH" if source is None else f"takes no --checkpoint, got {source}"
        raise ConfigError("mode", f"{config.mode} {problem}")
    collective = _prepare(config)
    if into is not None and collective.rank == 0:
        check_empty(into)
    pretrained = None if source is None else checkpoint.load(checkpoint.resolve(source), groups=["agent"])
    trainer = build_trainer(config, resolve_device(config), collective)
    with closing(trainer.collector.env):
        if pretrained is not None:
            transplant(pretrained, trainer.agent, reset_ac=config.train.reset_ac)
        folder = _shared_folder(config, root, into, collective)
        with folder.locked(rank=collective.rank):
            Session(make_engine(trainer), folder, reporter).run()
    return folder


def resume_run(path: Path, words: Sequence[str], reporter: Reporter) -> RunFolder:
    """Go on from the last checkpoint, as if the run had never stopped."""
    folder = open_run(path)
    collective = join()
    own = folder.checkpoints if collective.rank == 0 else folder.path / "ranks" / str(collective.rank) / "checkpoints"
    snapshot = checkpoint.load(checkpoint.resolve(own))
    if "replay" not in snapshot.tensors:
        raise CheckpointError(
            f"{own} was saved without replay (run.save_replay=false): it can be evaluated, not resumed"
        )
    _check_ranks(snapshot, collective)
    config = with_changes(snapshot.config, words)
    _prepare(config)
    trainer = build_trainer(config, resolve_device(config), collective)
    with closing(trainer.collector.env), folder.locked(rank=collective.rank):
        trainer.restore(snapshot)
        session = Session(make_engine(trainer), folder, reporter)
        session.restore(snapshot)
        if collective.rank == 0:
            manifest.mark_resumed(folder, config, env_steps=snapshot.env_steps, device=device_name(config))
        session.run()
    return folder


def _check_ranks(snapshot: Snapshot, collective: Collective) -> None:
    """All ranks of the run must be here, each at the same moment, or they would wait for each other for ever."""
    ranks = snapshot.state["session"]["ranks"]
    if ranks != collective.size:
        raise CheckpointError(
            f"the run was trained by {ranks} processes, this is one of {collective.size}: "
            f"resume it with torchrun --nproc-per-node {ranks}"
        )
    if collective.any(collective.sum(snapshot.env_steps) != ranks * snapshot.env_steps):
        raise CheckpointError(
            f"the run was killed while its ranks were saving: rank {collective.rank} stands at step "
            f"{snapshot.env_steps}, another one does not; it can be evaluated, not resumed"
        )


def make_engine(trainer: Trainer) -> Engine:
    return CudaEngine(trainer) if trainer.device.type == "cuda" else CpuEngine(trainer)


def transplant(source: Snapshot, agent: Agent, *, reset_ac: bool) -> None:
    """Give `agent` the world model of a checkpoint, and its actor and critic too unless they are to be fresh."""
    kept = ("world_model.",) if reset_ac else ("world_model.", "actor.", "critic.", "slow_critic.", "moments.")
    own = agent.state_dict()
    taken = {name: value for name, value in source.tensors["agent"].items() if name.startswith(kept)}
    for name, value in taken.items():
        if name not in own or own[name].shape != value.shape:
            raise CheckpointError(f"the checkpoint's {name} {tuple(value.shape)} does not fit this config's networks")
    missing = [name for name in own if name.startswith(kept) and name not in taken]
    if missing:
        raise CheckpointError(f"the checkpoint has no {missing[0]}: it does not fit this config's networks")
    agent.load_state_dict(own | taken)


def agent_from(path: Path, device: Device = "auto") -> tuple[Agent, Config]:
    """The agent of a checkpoint as evaluations play it, built from the checkpoint's own config."""
    step = checkpoint.resolve(path)
    saved = checkpoint.load(step, groups=[]).config
    group = "averaged" if saved.train.average_share else "agent"
    config = replace(saved, device=device)
    set_up_torch(config)
    agent = Agent(config, read_spaces(config.env))
    agent.load_state_dict(checkpoint.load(step, groups=[group]).tensors[group])
    return agent.move(resolve_device(config)), config


def resumed_config(path: Path, words: Sequence[str]) -> Config:
    """What a run would go on with."""
    return with_changes(checkpoint.load(checkpoint.resolve(open_run(path).path), groups=[]).config, words)


def device_name(config: Config) -> str | None:
    """Of what `config` computes on, by its maker; none for the CPU."""
    return torch.cuda.get_device_name() if resolve_device(config).type == "cuda" else None


def _prepare(config: Config) -> Collective:
    set_up_torch(config)
    return join()


def _shared_folder(config: Config, root: Path, into: Path | None, collective: Collective) -> RunFolder:
    """The first rank makes the folder, whole with its manifest, and then tells the others."""
    if collective.rank != 0:
        return RunFolder(Path(collective.share("")))
    folder = create_run(root, config) if into is None else create_run_in(into, config)
    manifest.start_manifest(folder, config, "train", device=device_name(config))
    collective.share(str(folder.path))
    return folder
