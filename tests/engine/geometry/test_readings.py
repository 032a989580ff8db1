"""What is read off the rapidity, against the pairs themselves and against closed forms at the limits."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.geometry import readings
from engine.geometry.pairs import pair_geometry


def test_readings_agree_with_the_pairs_they_come_from():
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(600, 5, generator=draw, dtype=torch.float64)
    y = torch.randn(600, 5, generator=draw, dtype=torch.float64)
    tiny = 10.0 ** -torch.arange(200, dtype=torch.float64).div(20)[:, None]
    y[:200] = x[:200] + tiny * y[:200]
    y[200:400] = -x[200:400] + tiny * y[200:400]
    pair = pair_geometry(x, y)
    eta = pair.eta.numpy()
    assert eta.max() > 20 and eta.min() < -20
    np.testing.assert_allclose(readings.correlation(eta), pair.C, atol=1e-15)
    np.testing.assert_allclose(readings.angle(eta), pair.theta, rtol=1e-13)
    np.testing.assert_allclose(readings.chord(eta), pair.d, rtol=1e-13)
    np.testing.assert_allclose(readings.antipode(eta), pair.d_antipode, rtol=1e-13)
    np.testing.assert_allclose(readings.gamma(eta), pair.gamma, rtol=1e-13)
    np.testing.assert_allclose(readings.ln_gamma(eta), pair.gamma.log(), rtol=1e-12, atol=1e-15)


@given(st.floats(-700, 700))
def test_every_reading_is_consistent_at_any_rapidity(eta):
    c, angle, chord, antipode, rapidity, ln_gamma = (float(v) for v in readings.quantities(eta))
    assert rapidity == eta
    assert -1 <= c <= 1 and 0 <= angle <= math.pi and ln_gamma >= 0
    assert chord**2 + antipode**2 == pytest.approx(4, rel=1e-14)
    assert chord == pytest.approx(2 * math.sin(angle / 2), rel=1e-13)
    assert math.log(antipode) - math.log(chord) == pytest.approx(eta, rel=1e-13, abs=1e-15)
    assert math.log(float(readings.gamma(eta))) == pytest.approx(ln_gamma, rel=1e-13, abs=3e-16)


@pytest.mark.parametrize("eta", [1e-150, 1e-8, 1e-3, 0.499999, 0.5, 0.500001, 3.0, 30.0, 1e4, 1e300])
def test_ln_gamma_is_accurate_from_the_smallest_to_the_largest(eta):
    if eta < 0.01:
        exact = eta**2 / 2 - eta**4 / 12 + eta**6 / 45
    else:
        exact = math.log(math.cosh(eta)) if eta < 100 else eta - math.log(2)
    for found in (readings.ln_gamma(eta), readings.ln_gamma(-eta), readings.quantities(-eta)[5]):
        assert float(found) == pytest.approx(exact, rel=1e-13)


def test_poles_keep_their_digits():
    eta = np.array([40.0, -40.0])
    small = 2 * math.exp(-40)
    np.testing.assert_allclose(readings.angle(eta), [small, math.pi - small], rtol=1e-15)
    np.testing.assert_allclose(readings.chord(eta), [small, 2.0], rtol=1e-15)
    np.testing.assert_allclose(readings.antipode(eta), [2.0, small], rtol=1e-15)


def test_saturated_pairs_have_their_limits_and_dead_pairs_stay_nan():
    with np.errstate(all="raise"):
        found = readings.quantities([math.inf, -math.inf, math.nan])
    np.testing.assert_array_equal(found[:, 0], [1, 0, 0, 2, math.inf, math.inf])
    np.testing.assert_array_equal(found[:, 1], [-1, math.pi, 2, 0, -math.inf, math.inf])
    assert np.isnan(found[:, 2]).all()
    np.testing.assert_array_equal(readings.gamma([math.inf, 0.0, -800.0]), [math.inf, 1, math.inf])


def test_all_quantities_at_once_equal_the_single_ones():
    eta = np.random.default_rng(0).standard_normal((2, 3, 5000)) * 5
    eta[0, 0, :3] = [math.inf, -math.inf, math.nan]
    found = readings.quantities(eta)
    single = (readings.correlation, readings.angle, readings.chord, readings.antipode, np.asarray, readings.ln_gamma)
    assert found.shape == (6, 2, 3, 5000) and len(readings.QUANTITIES) == 6
    for name, values, function in zip(readings.QUANTITIES, found, single, strict=True):
        np.testing.assert_allclose(values, function(eta), rtol=1e-14, err_msg=name)


def test_float32_rapidities_and_empty_arrays_are_welcome():
    assert readings.quantities(np.ones(3, np.float32)).dtype == np.float64
    assert readings.quantities(np.ones((2, 0))).shape == (6, 2, 0)


def test_readings_can_be_imported_without_torch():
    code = (
        "import sys; from engine.geometry import ceiling, readings, transitions; "
        "print(readings.correlation(0.0), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0.0", "False"]
