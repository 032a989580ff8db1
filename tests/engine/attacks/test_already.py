"""Which samples need no attack: what the attack is after decides, not whether the class is wrong."""

import torch
from minimal_norm import affine, samples
from torch import nn

from engine.attacks import run, start
from engine.specs import CarliniWagnerSpec, NoiseAttackSpec, PgdSpec


def test_a_class_wrong_by_less_than_kappa_is_attacked_all_the_same():
    model = affine(3, 8)
    x, y = samples(model, 40, (8,))
    y[:20] = (y[:20] + 1) % 3  # misclassified, some of them by less than kappa
    logits = model(x).detach()
    margin = logits.gather(1, y[:, None])[:, 0] - logits.scatter(1, y[:, None], -torch.inf).amax(1)
    kappa = -margin[:20].median().item()
    spec = CarliniWagnerSpec(goal="untargeted", kappa=kappa, steps=60, searches=4, initial_const=1.0)
    result = run(start(model, x, y, spec, seed=0, bounds=None))
    assert torch.equal(result.already, margin <= -kappa) and result.already.sum() == 10
    needed = (logits.argmax(1) != y) & ~result.already
    assert needed.sum() == 10 and (result.norm[needed & result.success] > 0).all() and (needed & result.success).any()
    assert (result.norm[result.already] == 0).all() and result.success[result.already].all()


def test_noise_seen_as_the_target_but_not_surely_enough_is_attacked():
    model = nn.Linear(6, 3)
    with torch.no_grad():
        model.weight.copy_(0.5 * torch.randn(3, 6, generator=torch.Generator().manual_seed(0)))
        model.bias.copy_(-model.weight.sum(1) / 2)  # undecided in the middle of the box
        model.bias[1] += 0.5
    x, y = torch.rand(30, 6), torch.zeros(30, dtype=torch.int64)
    spec = NoiseAttackSpec(target_class=1, confidence=0.5, eps=2.0, steps=30)
    attack = start(model, x, y, spec, seed=0, bounds=(0, 1))
    result = run(attack)
    seen = attack.clean.argmax(1) == 1
    assert (seen & ~result.already).any() and not (result.already & ~seen).any()
    assert torch.equal(result.already, seen & (attack.clean.softmax(1)[:, 1] >= 0.5))
    assert torch.equal(attack.already, result.already)


def test_what_the_model_gives_no_number_for_is_not_already_broken():
    class Broken(nn.Module):
        def forward(self, x):
            return torch.stack([x[:, 0], 0.5 + 0 * x[:, 0]], 1).where(x[:, :1] < 0.9, torch.nan)

    x, y = torch.tensor([[0.95], [0.2], [0.7]]), torch.zeros(3, dtype=torch.int64)
    result = run(start(Broken(), x, y, PgdSpec(goal="untargeted", eps=0.01, steps=1), seed=0, bounds=(0, 1)))
    assert result.already.tolist() == [False, True, False] and result.invalid.tolist() == [True, False, False]
