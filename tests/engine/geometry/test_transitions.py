"""Boosts between two places against exact values."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.geometry.transitions import doppler_boost, einstein_boost, gram_boost

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "a_transitions.json").read_text())["A"][
    "golden_transitions"
]


def eta_of(angle):
    return -math.log(math.tan(angle / 2))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: f"{float(g['theta0']):.3g}-{float(g['theta1']):.3g}")
def test_golden_transitions(golden):
    eta0, eta1 = eta_of(float(golden["theta0"])), eta_of(float(golden["theta1"]))
    gram, doppler, einstein = gram_boost(eta0, eta1), doppler_boost(eta0, eta1), einstein_boost(eta0, eta1)
    expected = golden["gram"]
    assert float(gram.rapidity) == pytest.approx(float(expected["d_eta"]), rel=1e-13)
    assert float(gram.beta) == pytest.approx(float(expected["beta_rel"]), rel=1e-13)
    assert float(gram.gamma) == pytest.approx(float(expected["gamma_rel"]), rel=1e-13)
    assert float(doppler.rapidity) == pytest.approx(float(golden["chi"]), rel=1e-13)
    for found, published in ((doppler, golden["doppler"]), (einstein, golden["einstein_gamma_signed"])):
        for name in ("rapidity", "beta", "gamma"):
            assert float(getattr(found, name)) == pytest.approx(float(published[name]), rel=1e-13), name


def test_gram_and_doppler_add_over_layers_and_einstein_does_not():
    etas = [eta_of(a) for a in (1.5, 0.9, 0.2)]
    for boost, adds in ((gram_boost, True), (doppler_boost, True), (einstein_boost, False)):
        parts = boost(etas[0], etas[1]).rapidity + boost(etas[1], etas[2]).rapidity
        assert (abs(float(parts - boost(etas[0], etas[2]).rapidity)) < 1e-13) == adds, boost.__name__


def test_einstein_gammas_multiply():
    a, b, c = (eta_of(x) for x in (1.5, 0.9, 0.2))
    whole = einstein_boost(a, c).gamma
    assert float(einstein_boost(a, b).gamma * einstein_boost(b, c).gamma) == pytest.approx(float(whole), rel=1e-14)


def test_reversal_flips_the_sign_and_nothing_changes_nothing():
    eta0, eta1 = np.array([-3.0, 0.1, 7.0]), np.array([2.0, 0.1, -0.5])
    for boost in (gram_boost, doppler_boost, einstein_boost):
        there, back = boost(eta0, eta1), boost(eta1, eta0)
        np.testing.assert_allclose(there.rapidity, -back.rapidity, rtol=1e-13)
        np.testing.assert_allclose(there.gamma, back.gamma, rtol=1e-13)
        assert there.rapidity[1] == 0 and there.beta[1] == 0 and there.gamma[1] == 1


def test_small_angles_relate_the_three_conventions():
    """Delta eta tends to chi, and the Einstein rapidity to chi + ln 2."""
    eta0, eta1 = eta_of(1e-4), eta_of(1e-9)
    chi = float(doppler_boost(eta0, eta1).rapidity)
    assert float(gram_boost(eta0, eta1).rapidity) == pytest.approx(chi, abs=1e-8)
    assert float(einstein_boost(eta0, eta1).rapidity) == pytest.approx(chi + math.log(2), abs=1e-9)


def test_far_apart_rapidities_do_not_overflow():
    assert float(doppler_boost(-600.0, 600.0).rapidity) == pytest.approx(600)
