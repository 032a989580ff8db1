"""Each planted defence raises its sign of masked gradients, and a plain network raises none."""

import numpy as np
import torch
from torch import nn

from engine.experiments.robustness.curves import ATTACKS
from engine.experiments.robustness.signs import TITLES, looking_for_signs, telling_budget
from engine.experiments.robustness.trying import Question, Source, Tried, begun, trying
from engine.generators import drain
from engine.specs import RobustnessSpec

N = 64
SETTINGS = RobustnessSpec(eps=0.3, budgets=4, steps=10, queries=60)
DRAW = torch.Generator().manual_seed(0)
X = torch.rand(N, 1, 8, 8, generator=DRAW)


def plain() -> nn.Module:
    draw = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) / 4)
    return model.eval()


class Quantised(nn.Module):
    """Rounds its input: the gradient is zero everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = plain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner((x * 8).round() / 8)
        return found


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = plain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.inner(x + 0.05 * torch.randn_like(x))
        return found


class Saturated(nn.Module):
    """Scores so large that the cross-entropy's gradient rounds to 0."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = plain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 3000 * self.inner(x)


class Profile(nn.Module):
    """Class 0 where a function of the input's mean is positive; ``knots`` are (mean less 0.5, value), joined by lines."""

    def __init__(self, knots: list[tuple[float, float]]) -> None:
        super().__init__()
        self.at, self.height = (torch.tensor([knot[k] for knot in knots]) for k in (0, 1))
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = x.flatten(1).mean(1) - 0.5
        k = torch.searchsorted(self.at, u.detach()).clamp(1, len(self.at) - 1)
        slope = (self.height[k] - self.height[k - 1]) / (self.at[k] - self.at[k - 1])
        value = self.height[k - 1] + slope * (u - self.at[k - 1])
        return torch.stack([value, torch.zeros_like(value)], 1)


class Wall(Profile):
    """As a profile, but for a thin band far out where the class is another without any slope that tells of it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = super().forward(x)
        u = x.flatten(1).mean(1) - 0.5
        inside = ((u > 0.085) & (u < 0.115)).float()
        return scores - 10 * torch.stack([inside, torch.zeros_like(inside)], 1)


def grey(n: int = N) -> torch.Tensor:
    """Inputs all but equal to 0.5, of mean 0.5."""
    x = 0.5 + 0.002 * torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    return x - x.mean((1, 2, 3), keepdim=True) + 0.5


def signs(
    model: nn.Module, x: torch.Tensor = X, *, settings: RobustnessSpec = SETTINGS, source: nn.Module | None = None
):
    """By name, of a model whose own answers are the labels."""
    answers = model.inner(x) if hasattr(model, "inner") else model(x)
    y = answers.argmax(1)
    eps = np.linspace(0, settings.eps, settings.budgets)
    question = Question(x, y, eps, settings, 0, (0.0, 1.0), np.arange(len(x)))
    other = Source(source or plain())
    state = torch.get_rng_state()
    tried = drain(begun(question, model))
    drain(trying(question, model, other, tried))
    found = drain(looking_for_signs(question, model, tried))
    assert torch.equal(torch.get_rng_state(), state)
    assert {sign.name for sign in found} == set(TITLES)
    assert all(sign.reason.endswith(".") and (sign.advice.endswith(".") or not sign.raised) for sign in found)
    return {sign.name: sign for sign in found}


def raised(found) -> set[str]:
    return {name for name, sign in found.items() if sign.raised}


def test_a_plain_network_raises_no_sign() -> None:
    found = signs(plain())
    assert raised(found) == set()
    assert found["unbounded"].said == f"0 of {N} left" and found["unbounded"].figure == 0


def test_rounded_inputs_hide_gradients_but_not_from_queries_and_transfer() -> None:
    found = signs(Quantised())
    assert {"black box better", "steps", "unbounded", "zero gradients"} <= raised(found)
    assert "no better than random noise" in found["steps"].reason and found["black box better"].figure > 0.1
    assert found["zero gradients"].figure == 1 and found["zero gradients"].advice.startswith("Use a loss")


def test_scores_that_saturate_are_a_gradient_killer_too() -> None:
    assert {"restarts", "zero gradients"} <= raised(signs(Saturated()))


def test_noise_in_the_answers_is_told() -> None:
    found = signs(Noisy())
    assert "randomised" in raised(found) and "EOT" in found["randomised"].advice


def test_probabilities_for_scores_are_told() -> None:
    assert "probabilities" in raised(signs(nn.Sequential(plain(), nn.Softmax(1))))


def test_a_loss_that_is_curved_at_the_sample_lets_one_step_beat_many() -> None:
    # downhill at the sample into a hollow, out of which small steps do not come; far out it falls for good
    model = Profile([(-1.0, 2.0), (-0.02, 1.02), (0.02, 0.8), (0.08, 1.5), (0.12, -1.0), (1.0, -2.0)])
    settings = RobustnessSpec(eps=0.18, budgets=4, steps=40, queries=20, transferred=False)
    found = signs(model, grey(), settings=settings)
    assert "one step" in raised(found) and found["one step"].figure > N / 2


def test_large_steps_over_a_thin_band_make_a_larger_eps_less_successful() -> None:
    model = Wall([(-1.0, 2.0), (0.0, 1.0), (1.0, 0.5)])
    settings = RobustnessSpec(eps=0.4, budgets=5, steps=3, queries=20, transferred=False, apgd=False, minimal=False)
    found = signs(model, grey(), settings=settings)
    assert "larger eps" in raised(found) and found["larger eps"].figure > N / 2


def test_too_few_steps_are_told() -> None:
    # one step and two jump over the band, four hit it
    model = Wall([(-1.0, 2.0), (0.0, 1.0), (1.0, 0.5)])
    only = {**dict.fromkeys(ATTACKS, False), "pgd": True}
    found = signs(model, grey(), settings=RobustnessSpec(eps=0.16, budgets=3, steps=1, **only))
    assert "steps" in raised(found) and found["steps"].figure >= 0.5
    assert "1 step is not enough" in found["steps"].reason and "more steps" in found["steps"].advice


def test_what_was_not_run_is_not_judged() -> None:
    only = {**dict.fromkeys(ATTACKS, False), "noise": True}
    found = signs(plain(), settings=RobustnessSpec(eps=0.3, budgets=3, steps=5, **only))
    for name in ("black box better", "one step", "larger eps"):
        assert found[name].raised is None and found[name].told()["figure"] is None and found[name].advice


def test_the_telling_budget_is_where_about_half_is_broken() -> None:
    never = np.full(10, 4)
    tried = Tried(np.ones(10, bool), np.array([[1, 1, 2, 2, 2, 3, 3, 3, 3, 4]]), never, never)
    assert telling_budget(tried, 4) == 2
    assert telling_budget(Tried(np.zeros(10, bool), np.zeros((1, 10), int), never, never), 4) == 3
