"""The transfer attacks against torchattacks and Foolbox: on the network they see, and on one they do not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from comparing import attacked, broken, significantly_more, spec, within
from networks import Victim, colour_cnn, standard_cnn, standard_mlp
from peers import MISSING, REASON
from torch import Tensor

if MISSING:
    pytest.skip(REASON, allow_module_level=True)

from peers import foolbox_peers as foolbox
from peers import torchattacks_peers as torchattacks

STEPS = 10
ATTACKS: dict[str, tuple[str, dict[str, Any], Callable[..., Tensor], dict[str, Any]]] = {
    "MI": ("MiSpec", {}, torchattacks.mi, {}),
    "NI": ("NiSpec", {}, torchattacks.ni, {}),
    "SI-NI": ("SiNiSpec", {"copies": 5}, torchattacks.si, {"copies": 5}),
    "VMI": ("VmiSpec", {"neighbours": 5}, torchattacks.vmi, {"draws": 5}),
    "DI": ("DiSpec", {}, torchattacks.di, {}),
}
"""Our spec and its settings, the peer and its settings."""


def budget(victim: Victim, share: float = 1.0) -> dict[str, float]:
    eps = share * victim.eps["Linf"]
    return {"eps": eps, "alpha": eps / STEPS, "steps": STEPS}


@pytest.mark.parametrize("name", ATTACKS)
def test_as_many_break_on_the_network_that_is_seen(victim: Victim, name: str) -> None:
    """VMI and DI draw at random, here as there, so that one sample of 200 may go the other way."""
    kind, own, peer, their = ATTACKS[name]
    ours = attacked(victim, spec(kind, **budget(victim), **own))
    theirs = broken(victim, peer(victim.model, victim.x, victim.y, **budget(victim), **their))
    assert 0.1 < theirs.double().mean() < 0.8 and within(victim, ours.x_adv, "Linf", victim.eps["Linf"])
    assert ours.success.sum() >= theirs.sum() - int(name in ("VMI", "DI"))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("way", ["MLP to CNN", "CNN to MLP"])
def test_as_many_break_on_a_network_that_is_not_seen(name: str, way: str) -> None:
    """Of samples that both networks tell right, at twice the radius, since of those that carry over there are few; a
    difference counts beyond chance alone."""
    seen, unseen = (standard_mlp(), standard_cnn()) if way == "MLP to CNN" else (standard_cnn(), standard_mlp())
    right = ~broken(seen, seen.x) & ~broken(unseen, unseen.x)
    seen, unseen = seen.only(right), unseen.only(right)
    kind, own, peer, their = ATTACKS[name]
    ours = broken(unseen, attacked(seen, spec(kind, **budget(seen, 2), **own)).x_adv)
    theirs = broken(unseen, peer(seen.model, seen.x, seen.y, **budget(seen, 2), **their))
    assert 0.1 < theirs.double().mean() < 0.95
    assert not significantly_more(theirs, ours)


@pytest.mark.parametrize("name", ["MI", "NI", "SI-NI"])
def test_what_is_not_random_ends_where_torchattacks_ends(victim: Victim, name: str) -> None:
    """Rounding of a gradient near 0 can flip a sign: 5 of 200 may end elsewhere."""
    kind, own, peer, their = ATTACKS[name]
    ours = attacked(victim, spec(kind, **budget(victim), **own))
    theirs = peer(victim.model, victim.x, victim.y, **budget(victim), **their)
    attackable = ~broken(victim, victim.x)
    assert ((ours.x_adv - theirs).flatten(1).abs().amax(1)[attackable] > 1e-4).sum() <= 5


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_mi_breaks_as_many_as_foolbox(victim: Victim, norm: str) -> None:
    """Its momentum is one of steps (signs, unit vectors), not of gradients as in the paper: it goes other ways."""
    eps = victim.eps[norm]
    settings = {"norm": norm, "eps": eps, "alpha": eps / STEPS, "steps": STEPS}
    ours = attacked(victim, spec("MiSpec", **settings))
    theirs = foolbox.momentum(victim.model, victim.x, victim.y, **settings)
    assert ours.success.sum() >= broken(victim, theirs).sum()


def test_ti_breaks_as_many_as_its_peer_in_colour() -> None:
    """Its peer takes colour images alone, and transforms them at random as well: so does DI here, without a chance."""
    victim = colour_cnn()
    ours = attacked(victim, spec("TiSpec", kernel=3, **budget(victim)))
    theirs = torchattacks.ti(victim.model, victim.x, victim.y, kernel=3, probability=0.0, **budget(victim))
    assert 0.1 < broken(victim, theirs).double().mean() < 0.9
    assert ours.success.sum() >= broken(victim, theirs).sum()


def test_a_mean_over_draws_breaks_a_random_network_as_often_as_its_peer(pair_of_victims: Victim) -> None:
    """A network that adds noise to its input; all are judged by their points at the network without noise."""
    calm = pair_of_victims
    noisy = Victim(Noisy(calm.model), calm.x, calm.y, calm.n_classes, calm.eps)
    eps = calm.eps["Linf"]
    settings = {"eps": eps, "alpha": eps / 8, "steps": 10}
    ours = attacked(noisy, spec("PgdSpec", eot=8, stop=False, **settings), sound=False)
    theirs = torchattacks.eot_pgd(noisy.model, calm.x, calm.y, draws=8, **settings)
    assert 0.2 < broken(calm, theirs).double().mean() < 0.8
    assert not significantly_more(broken(calm, theirs), broken(calm, ours.x_adv))


class Noisy(torch.nn.Module):
    """A network behind a random shift of its input."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x + 0.05 * torch.randn_like(x))
