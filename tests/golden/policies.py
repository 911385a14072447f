"""Our policies as the reference shows its own: log-probabilities and entropies head by head."""

import torch
from torch import Tensor

from dreamer_core.models.actor import Actor, CategoricalPolicy, NormalPolicy
from dreamer_core.rng import ModeSampler, Sampler


def describe(actor: Actor, latent: Tensor, actions: Tensor, sampler: Sampler | None = None) -> dict[str, Tensor]:
    """All that a fixture of an actor may hold. `sampler` gives the `action` of a normal policy."""
    policy = actor(latent)
    mode = policy.sample(ModeSampler())
    if isinstance(policy, NormalPolicy):
        found = {"mean": policy.mean, "std": policy.std, "mode": mode}
        found |= {"log_prob": policy.log_prob(actions)[..., None], "entropy": policy.entropy()[..., None]}
        return found if sampler is None else found | {"action": policy.sample(sampler)}
    heads = [CategoricalPolicy((head,)) for head in policy.log_probs]
    parts = actions.split([head.shape[-1] for head in policy.log_probs], -1)
    log_prob = torch.stack([head.log_prob(part) for head, part in zip(heads, parts, strict=True)], -1)
    entropy = torch.stack([head.entropy() for head in heads], -1)
    torch.testing.assert_close(policy.log_prob(actions), log_prob.sum(-1))
    torch.testing.assert_close(policy.entropy(), entropy.sum(-1))
    each = {f"log_probs_{index}": head for index, head in enumerate(policy.log_probs)}
    return each | {"log_prob": log_prob, "entropy": entropy, "mode": mode}
