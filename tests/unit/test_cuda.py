"""The CUDA engine: what can be checked anywhere, and what needs a device."""

import pytest
import torch

from dreamer_core.config import load_config
from dreamer_core.training.engine import CpuEngine, collect
from dreamer_core.training.engine_cuda import ActingCopy, CudaEngine, clone_batch, copy_batch
from dreamer_core.training.trainer import Trainer, build_trainer

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def tiny_trainer(device: str, *words: str) -> Trainer:
    config = load_config([f"device={device}", "algo.replay_ratio=1", *words], preset="cartpole+debug")
    return build_trainer(config, torch.device(device))


def filled(trainer: Trainer) -> Trainer:
    for _ in range(40):
        collect(trainer)
    return trainer


def test_a_copied_batch_is_equal_and_shares_no_memory() -> None:
    trainer = filled(tiny_trainer("cpu"))
    first, second = (trainer.replay.sample(trainer.sample_generator) for _ in range(2))
    target = clone_batch(first)
    copy_batch(target, second)
    assert torch.equal(target.obs["state"], second.obs["state"])
    assert torch.equal(target.action, second.action)
    assert torch.equal(target.truncated, second.truncated)
    assert target.context is not None
    assert second.context is not None
    assert torch.equal(target.context.stoch, second.context.stoch)
    assert target.reward.data_ptr() != second.reward.data_ptr()


def test_the_acting_copy_changes_only_when_it_adopts() -> None:
    trainer = tiny_trainer("cpu")
    acting = ActingCopy(trainer.agent)
    before = [tensor.clone() for tensor in acting.target]
    with torch.no_grad():
        for tensor in acting.source:
            tensor.add_(1.0)
    acting.refresh()
    assert all(torch.equal(old, new) for old, new in zip(before, acting.target, strict=True))
    acting.adopt()
    assert all(torch.equal(old, new) for old, new in zip(acting.source, acting.target, strict=True))


@pytest.mark.gpu
@needs_cuda
def test_updates_on_cuda_make_no_host_transfer_in_the_hot_loop() -> None:
    engine = CudaEngine(filled(tiny_trainer("cuda")))
    for _ in range(20):
        engine.tick()
    engine.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        with torch.cuda.stream(engine.learning):
            for _ in range(5):
                engine._learn()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@needs_cuda
def test_the_captured_update_gives_the_losses_of_the_eager_one() -> None:
    eager, captured = CpuEngine(filled(tiny_trainer("cuda"))), CudaEngine(filled(tiny_trainer("cuda")))
    for _ in range(30):
        eager.tick()
        captured.tick()
    captured.synchronize()
    mine, theirs = captured.trainer.window.take(), eager.trainer.window.take()
    for name in ("Loss/observation_loss", "Loss/reward_loss"):
        assert mine[name] == pytest.approx(theirs[name], rel=0.2)
