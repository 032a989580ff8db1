"""Is this attack strong enough for this model? Plant a weakness that is certainly there, and see whether it is found.

Source: R. Zimmermann, W. Brendel, F. Tramer, N. Carlini (2022), "Increasing confidence in adversarial robustness
evaluations". For each sample the last layer is replaced by a readout that tells points inside the ball from one point
on its edge, so that the ball certainly holds an adversarial input. An attack that misses many of these is too weak for
the model, and the robust accuracy that it reports is too high.

As there, the readout is trained on the frozen features and shifted until the planted point lies just beyond it. Ours:
a linear support vector machine, and a shift that leaves a tenth of the gap.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.attacks.core.inputs import checked_samples
from engine.attacks.core.iterate import Iterate, Working
from engine.attacks.core.look import sheltered
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.layers import seeing
from engine.attacks.tools.projections import Ball, Bounds, ball
from engine.errors import AttackError
from engine.seeds import derive
from engine.specs import AttackSpec, FeatureSpec, FixedBudgetSpec, NoiseAttackSpec

ENOUGH = 0.95  # share of planted weaknesses that a strong attack finds (the paper's threshold)
BEYOND = 0.1  # of the gap between the planted point and the nearest inner one: how far beyond the readout it lies
INNER = 200  # points inside the ball that the readout is trained on, and as many that it is checked on
FAR = 1e3  # radii from the sample, before it is projected onto the edge of the ball
MOST_ROUNDS = 2000  # of the support vector machine's fit over these points, each in at most as many coordinates
ROWS = 100  # points that go through the model at a time


@dataclass(frozen=True, eq=False)
class ActiveTest:
    """What became of the planted weaknesses; tensors of first dimension N."""

    planted: Tensor
    """bool: a readout exists that tells the inner points from the planted one."""
    found: Tensor
    """bool: the attack found an adversarial input."""
    at_random: Tensor
    """bool: one of as many random points of the ball as the attack had looks is one too: such a case says nothing."""

    @property
    def hard(self) -> Tensor:
        """bool: the cases that count: planted, and not to be found by chance."""
        return self.planted & ~self.at_random

    @property
    def rate(self) -> float:
        """Share of the cases that count which the attack has found; NaN where there is none."""
        counted = int(self.hard.sum())
        return float((self.found & self.hard).sum()) / counted if counted else float("nan")


class Readout(nn.Module):
    """A model whose class scores are replaced by a line through one layer's features: class 1 beyond it."""

    weight: Tensor

    def __init__(self, model: nn.Module, layer: str, weight: Tensor, bias: float) -> None:
        super().__init__()
        self.model, self.layer = model, layer
        self.register_buffer("weight", weight)
        self.bias = bias

    def forward(self, x: Tensor) -> Tensor:
        with seeing(self.model, self.layer) as seen:
            self.model(x)
        beyond = seen[0].flatten(1) @ self.weight + self.bias
        return torch.stack([-beyond, beyond], 1)


def active_test(
    model: nn.Module, x: Tensor, spec: AttackSpec, *, seed: int, bounds: Bounds, layer: str = ""
) -> Generator[None, None, ActiveTest]:
    """Try an attack of a fixed budget on one planted weakness for each of the samples ``x`` ``[N, ...]``.

    ``layer`` is the layer that is read, by default the last one before the class scores. Yields between pieces of work.
    Raises AttackError for an attack that knows no budget: it can neither be given nor miss a ball.
    """
    if why_not := untestable(spec):
        raise AttackError(why_not)
    assert isinstance(spec, FixedBudgetSpec)
    box = checked_samples(x, torch.zeros(len(x), dtype=torch.int64), bounds)
    planted, found, at_random = [], [], []
    for place in range(len(x)):
        sample = x[place : place + 1]
        around = ball(spec.norm, sample, spec.eps, box)
        readout = yield from _plant(model, layer, around, Draws(seed, torch.tensor([place])))
        planted.append(readout is not None)
        hit, looks = False, 1
        if readout is not None:
            hit, looks = yield from _attack(readout, sample, spec, seed, bounds)
        found.append(hit)
        chance = False
        if readout is not None:
            chance = yield from _by_chance(
                readout, around, Draws(derive(seed, "active test", "chance"), torch.tensor([place])), looks
            )
        at_random.append(chance)
    return ActiveTest(torch.tensor(planted), torch.tensor(found), torch.tensor(at_random))


def untestable(spec: AttackSpec) -> str:
    """Why the active test cannot be made of an attack, in a sentence; '' where it can."""
    if not isinstance(spec, FixedBudgetSpec):
        return f"{spec.title} is no attack of a fixed budget, so no weakness inside a ball can be planted for it."
    if isinstance(spec, FeatureSpec | NoiseAttackSpec):
        return f"{spec.title} asks another question than whether the sample's own ball holds an adversarial input."
    return ""


def _plant(model: nn.Module, layer: str, around: Ball, draws: Draws) -> Generator[None, None, Readout | None]:
    """A readout that sees one point on the edge of the ball as class 1 and everything else as class 0."""
    from sklearn.svm import LinearSVC  # slow to import, and rarely needed

    inner = [around.x, *(around.draw(draws, number) for number in range(2 * INNER))]
    far = FAR * around.eps * draws.normal("active test", 0, around.x.shape[1:]).to(around.x.dtype)
    edge = around.project(around.x + far)
    features = yield from _features(model, layer, [*inner, edge])
    centre, spread = features.mean(0), features.std(0).clamp(min=1e-12)
    scaled = (features - centre) / spread
    trained = torch.cat([scaled[: INNER + 1], scaled[-1:]]).double()
    # the weight lies in the span of the points: in coordinates there the fit is as quick however many features there are
    basis, coordinates = torch.linalg.qr(trained.T)
    yield
    label = [0] * (INNER + 1) + [1]
    machine = LinearSVC(C=1e3, class_weight="balanced", max_iter=MOST_ROUNDS, random_state=0)
    fitted = machine.fit(coordinates.T.cpu().numpy(), label)
    yield
    weight = (basis @ torch.from_numpy(fitted.coef_[0]).to(basis)).to(features) / spread
    scores = features @ weight
    below, beyond = scores[:-1].max(), scores[-1]
    if not bool(beyond > below):
        return None
    threshold = beyond - BEYOND * (beyond - below)
    return Readout(model, layer, weight, -float(threshold))


def _features(model: nn.Module, layer: str, points: Sequence[Tensor]) -> Generator[None, None, Tensor]:
    parts = []
    for part in torch.split(torch.cat(list(points)), ROWS):
        with sheltered(model, 0), torch.no_grad(), seeing(model, layer) as seen:
            model(part)
            parts.append(seen[0].flatten(1).clone())
        yield
    return torch.cat(parts)


def _attack(
    readout: Readout, sample: Tensor, spec: AttackSpec, seed: int, bounds: Bounds
) -> Generator[None, None, tuple[bool, int]]:
    """Whether the attack, untargeted, finds the planted weakness, and how many looks at the model it took."""
    from engine.attacks import start  # the room's door imports this file

    untargeted: AttackSpec = spec.model_copy(update={"goal": "untargeted", "stop": True})
    attack = start(readout, sample, torch.zeros(1, dtype=torch.int64), untargeted, seed=seed, bounds=bounds, batch=1)
    event: Working | Iterate
    for event in attack.events():
        del event
        yield
    result = attack.result()
    return bool(result.success), int(result.forwards)


def _by_chance(readout: Readout, around: Ball, draws: Draws, looks: int) -> Generator[None, None, bool]:
    """Whether one of so many random points of the ball is adversarial."""
    for first in range(0, looks, ROWS):
        points = torch.cat([around.draw(draws, first + k) for k in range(min(ROWS, looks - first))])
        with sheltered(readout, 0), torch.no_grad():
            if bool((readout(points).argmax(1) == 1).any()):
                return True
        yield
    return False
