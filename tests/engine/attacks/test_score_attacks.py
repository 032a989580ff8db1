"""SimBA, NES and SPSA against what can be worked out by hand, and what they are made of."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from engine.attacks import run, start
from engine.attacks.tools import losses
from engine.attacks.tools.cosines import LEAST, Cosines, cosines
from engine.attacks.tools.losses import log_odds
from engine.attacks.tools.probes import Probes, even, made_unit, normal, signs
from engine.attacks.tools.slopes import exact_cross_entropy, slope
from engine.generators import drain
from engine.specs import NesSpec, PgdSpec, SimbaSpec, SpsaSpec


class Affine(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    def forward(self, x):
        return x.flatten(1) @ self.weight.T + self.bias


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def binary(d, seed=0, bias=50.0):
    """Class 0 wins by far unless the sample moves along ``w``, which is given too."""
    w = random(d, seed=seed)
    return Affine(torch.stack([torch.zeros(d), w]), torch.tensor([bias, 0.0])).double(), w.double()


# --- SimBA -------------------------------------------------------------------------------------------------------


def test_on_an_affine_model_simba_takes_each_direction_once_and_the_right_way():
    """A weight above 0 takes one look, one below 0 two; after a round every value has moved by alpha along its sign."""
    d, alpha = 11, 0.25
    model, w = binary(d)
    x, y = random(6, d, seed=1).double(), torch.zeros(6, dtype=torch.int64)
    looks = int((w > 0).sum() + 2 * (w <= 0).sum())
    spec = SimbaSpec(norm="Linf", eps=alpha, alpha=alpha, queries=1 + looks)  # one at the sample
    *_, last = start(model, x, y, spec, seed=0, bounds=None)
    assert last.step == spec.queries
    torch.testing.assert_close(last.x_adv, x + alpha * w.sign(), rtol=0, atol=1e-12)
    shorter = spec.model_copy(update={"queries": looks})
    *_, last = start(model, x, y, shorter, seed=0, bounds=None)
    assert not torch.allclose(last.x_adv, x + alpha * w.sign()), "one look less leaves one step out"


def test_with_cosine_waves_simba_moves_along_each_wave():
    model, w = binary(64)
    x, y = random(3, 1, 8, 8, seed=1).double(), torch.zeros(3, dtype=torch.int64)
    spec = SimbaSpec(norm="L2", eps=100.0, alpha=0.5, basis="dct", frequencies=1.0, queries=200)
    *_, last = start(model, x, y, spec, seed=0, bounds=None)
    waves = cosines(8, x)
    amounts = waves @ (last.x_adv - x)[0, 0] @ waves.T / 0.5
    strength = waves @ w.reshape(8, 8) @ waves.T
    torch.testing.assert_close(amounts, amounts.round(), rtol=0, atol=1e-9)
    assert torch.equal(amounts.sign(), strength.sign())


def test_simba_never_raises_the_probability_it_lowers():
    model = nn.Sequential(nn.Linear(9, 12), nn.Tanh(), nn.Linear(12, 3))
    x = random(20, 9).abs()
    y = model(x).argmax(1)
    spec = SimbaSpec(norm="L2", eps=0.3, queries=60, stop=False)
    losses_seen = torch.stack([iterate.loss for iterate in start(model, x, y, spec, seed=0, bounds=None)])
    success = run(start(model, x, y, spec, seed=0, bounds=None)).success
    assert (losses_seen[1:, ~success] >= losses_seen[:-1, ~success] - 1e-6).all()
    assert (losses_seen[-1] > losses_seen[0]).all()


def test_simba_asks_nothing_that_the_box_undoes():
    """Every value lies at one end of the box, so that half of all steps lead nowhere; none of these is asked about."""
    d = 12
    model, w = binary(d)
    x = (random(4, d, seed=2) > 0).double()
    y = torch.zeros(4, dtype=torch.int64)
    possible = ((w > 0) & (x == 0)) | ((w < 0) & (x == 1))  # the only direction there is, and it helps
    spec = SimbaSpec(norm="Linf", eps=1.0, alpha=1.0, queries=2 + d)
    *_, last = start(model, x, y, spec, seed=0, bounds=(0, 1))
    torch.testing.assert_close(last.x_adv, torch.where(possible, 1 - x, x), rtol=0, atol=0)


# --- estimated gradients -----------------------------------------------------------------------------------------


def a_batch(model, x, y, bounds=None):
    attack = start(model, x, y, NesSpec(), seed=0, bounds=bounds)
    next(attack.events())
    return attack._batches[0]


def estimate(batch, x, loss, kind, pairs, size):
    generator = slope(batch, x, loss, Probes(0, "test", kind, x.shape[1:], x), 0, pairs, size)
    return drain(generator)


def test_in_one_dimension_the_estimate_from_signs_is_exact():
    model = Affine(torch.tensor([[0.0], [1.75]]), torch.tensor([1.0, 0.0])).double()
    x = random(5, 1).double() / 10
    found = estimate(a_batch(model, x, torch.zeros(5, dtype=torch.int64)), x, losses.margin, signs, 3, 0.01)
    torch.testing.assert_close(found, torch.full((5, 1), 1.75, dtype=torch.float64), rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", [signs, normal])
def test_the_estimate_of_an_affine_model_is_the_mean_of_projections(kind):
    """(gain(x + s u) - gain(x - s u)) / 2 s is u w, whatever s; so the estimate is the mean of (u w) u."""
    d, pairs = 15, 700  # so many that they are asked in pieces
    model, w = binary(d)
    x = random(3, d, seed=4).double()
    batch = a_batch(model, x, torch.zeros(3, dtype=torch.int64))
    found = estimate(batch, x, losses.margin, kind, pairs, 0.3)
    looks = Probes(0, "test", kind, x.shape[1:], x).take(0, pairs)
    expected = ((looks @ w)[:, None] * looks).mean(0)
    torch.testing.assert_close(found, expected.expand(3, d), rtol=0, atol=1e-9)
    assert torch.cosine_similarity(found[0], w, dim=0) > 0.95
    assert (batch.forwards == 1 + 2 * pairs).all()


@pytest.mark.parametrize("spec", [NesSpec(probes=100), SpsaSpec(probes=100)], ids=lambda s: s.method)
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_an_estimate_breaks_about_what_the_gradient_breaks(spec, norm):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 24), nn.Tanh(), nn.Linear(24, 4))
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.copy_(random(*parameter.shape, seed=number))
    x = random(60, 1, 4, 4, seed=9).sigmoid()
    y = model(x).argmax(1)
    eps = {"Linf": 0.12, "L2": 0.35}[norm]
    white = run(
        start(model, x, y, PgdSpec(norm=norm, eps=eps, alpha=eps / 5, goal="untargeted"), seed=0, bounds=(0, 1))
    )
    spec = spec.model_copy(update={"norm": norm, "eps": eps, "alpha": eps / 5, "queries": 4000})
    black = run(start(model, x, y, spec, seed=0, bounds=(0, 1)))
    rate = white.success.double().mean()
    assert 0.2 < rate < 0.9
    assert black.success.double().mean() >= rate - 0.05


# --- parts -------------------------------------------------------------------------------------------------------


def test_probes_depend_on_their_number_alone():
    for kind in (normal, even, signs):
        probes, again = (Probes(3, "a", kind, torch.Size([2, 5]), torch.zeros(1)) for _ in range(2))
        row = probes.take(0, 9)
        assert row.shape == (9, 2, 5)
        for number in (4, 8, 2, 0):
            assert torch.equal(again.take(number, 1)[0], row[number])
        assert len(torch.unique(row[:, 0, :].flatten(1), dim=0)) > 5
    far = Probes(3, "a", normal, torch.Size([2**19]), torch.zeros(1))
    assert torch.equal(far.take(5, 1), Probes(3, "a", normal, torch.Size([2**19]), torch.zeros(1)).take(4, 2)[1:])
    assert not torch.equal(Probes(3, "b", normal, torch.Size([2, 5]), torch.zeros(1)).take(0, 9), row)
    torch.testing.assert_close(made_unit(random(4, 3, 2)).flatten(1).norm(dim=1), torch.ones(4))
    assert torch.equal(made_unit(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize("shape", [(9,), (2, 7), (1, 8, 8), (3, 4, 11), (2, 3, 5, 6)])
def test_cosine_waves_are_orthonormal_and_keep_lengths(shape):
    like = torch.zeros(1, dtype=torch.float64)
    waves = Cosines(torch.Size(shape), 1.0, like)
    assert waves.kept == torch.Size(shape)
    every = waves.wave(torch.arange(waves.kept.numel())).flatten(1)
    torch.testing.assert_close(every @ every.T, torch.eye(len(every), dtype=torch.float64), rtol=0, atol=1e-12)
    amounts = random(2, *waves.kept).double()
    torch.testing.assert_close(waves.synthesis(amounts).flatten(1), amounts.flatten(1) @ every, rtol=0, atol=1e-12)


def test_low_frequencies_are_a_share_but_never_fewer_than_some():
    like = torch.zeros(1)
    assert Cosines(torch.Size([3, 40, 30]), 0.5, like).kept == (3, 20, 15)
    assert Cosines(torch.Size([3, 40, 30]), 0.01, like).kept == (3, LEAST, LEAST)
    assert Cosines(torch.Size([1, 8, 6]), 0.5, like).kept == (1, 8, 6)
    assert Cosines(torch.Size([50]), 0.1, like).kept == (50,), "the values of a vector have no order"
    low = Cosines(torch.Size([1, 64, 64]), 0.125, like).synthesis(random(4, 1, 8, 8))
    rough = (low[..., 1:] - low[..., :-1]).square().mean() / low.square().mean()
    assert rough < 0.2, "neighbours are alike"


def test_log_odds_order_points_as_the_cross_entropy_does_and_see_farther():
    logits = 3 * random(50, 5).double()
    y, target = torch.arange(50) % 5, (torch.arange(50) + 1) % 5
    for aim in (None, target):
        odds, entropy = log_odds(logits, y, aim), losses.cross_entropy(logits, y, aim)
        assert torch.equal(odds.argsort(), entropy.argsort())
        torch.testing.assert_close(exact_cross_entropy(logits, y, aim), entropy)
    sure = torch.tensor([[60.0, 0.0], [61.0, 0.0]])
    y = torch.tensor([0, 0])
    assert torch.equal(losses.cross_entropy(sure, y), torch.zeros(2)), "both are certain to the last bit"
    assert log_odds(sure, y)[0] > log_odds(sure, y)[1]
    assert exact_cross_entropy(sure, y)[0] > exact_cross_entropy(sure, y)[1] > 0


@pytest.mark.parametrize("spec", [SimbaSpec(queries=40), NesSpec(queries=40, probes=4), SpsaSpec(queries=40, probes=4)])
def test_the_model_is_not_asked_about_the_samples_a_second_time(spec):
    model, _ = binary(6)
    x, y = random(5, 6, seed=1).double(), torch.zeros(5, dtype=torch.int64)
    seen = []
    handle = model.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].detach().clone()))
    attack = start(model, x, y, spec, seed=0, bounds=None, batch=5)
    for _ in attack:
        pass
    handle.remove()
    asked = torch.cat(seen[2 if len(seen[0]) == 1 else 1 :])  # the first is the look at the samples
    looks = attack.result().forwards
    assert (looks <= 40).all() and (looks >= 38).all()
    again = (asked[:, None] == x[None]).all(2).any(1)
    assert int(again.sum()) <= 5, "but for the verification of what was not moved"


@pytest.mark.parametrize("kind", [SimbaSpec, NesSpec, SpsaSpec])
def test_bfloat16_is_refused_where_queries_are_counted(kind):
    """Each success would cost another look in float32."""
    with pytest.raises(ValidationError, match="float32"):
        kind(precision="bfloat16")
