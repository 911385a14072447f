"""In which order a baseline shows its metrics."""

from server.pages.strips import scores_first


def test_how_well_it_plays_comes_before_how_it_learns() -> None:
    keys = ["Loss/world_model_loss", "State/kl", "eval/mean_return", "sps", "eval/success_rate"]
    assert scores_first(keys) == ["eval/mean_return", "eval/success_rate", "Loss/world_model_loss", "State/kl", "sps"]
