"""How means over groups of pairs scatter from network to network, against the expansion of a single pair and networks drawn."""

import math

import numpy as np
import pytest

from engine.generators import drain
from engine.geometry.nulls import wide
from engine.geometry.nulls.finite_width import corrections, elementwise
from engine.geometry.nulls.scatter import Weights, Wide, holds, scatter

HE = math.sqrt(2)


def of_one_pair(gram):
    return np.array([[gram[0, 1] / math.sqrt(gram[0, 0] * gram[1, 1])]])


@pytest.mark.parametrize(
    ("activation", "sigma_w", "sigma_b", "c"), [("relu", HE, 0.0, 0.0), ("relu", HE, 0.0, 0.6), ("erf", 1.5, 0.05, 0.3)]
)
def test_one_pair_has_the_bias_and_the_variance_of_the_published_expansion(activation, sigma_w, sigma_b, c):
    """To about three times the error of 1500 draws."""
    gram = (np.array([[1.0, c], [c, 1.0]]) - sigma_b**2) / sigma_w**2
    found = drain(scatter(Wide(gram, activation, sigma_w, sigma_b, 4), of_one_pair, 1500, np.random.default_rng(0)))
    golden = corrections(activation, sigma_w, sigma_b, 4, (1.0, 1.0, c))
    np.testing.assert_allclose(found.variance[1::2, 0], [each.variance for each in golden], rtol=0.12)
    np.testing.assert_allclose(found.bias[1::2, 0], [each.bias for each in golden], atol=0.15)


@pytest.mark.parametrize(("activation", "scales"), [("relu", (HE, 0.0)), ("tanh", (1.5, 0.05))])
def test_networks_drawn_anew_fall_into_the_band_of_a_groups_mean(activation, scales):
    """Centred by others, over many pairs that share each network."""
    width, depth, networks = 128, 3, 120
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.standard_normal((12, 20)) + 0.8, rng.standard_normal((12, 20))])
    reference = np.arange(12, 24)

    def read(gram):
        seen = wide.centred(gram, reference)[:12, :12]
        size = np.sqrt(np.diagonal(seen))
        return np.array([[(seen / np.outer(size, size))[np.triu_indices(12, 1)].mean()]])

    limit = [read(each)[0, 0] for each in wide.layers(x @ x.T / 20, activation, *scales, depth) if each is not None][
        :-1
    ]
    found = drain(scatter(Wide(x @ x.T / 20, activation, *scales, depth), read, 60, np.random.default_rng(2)))
    _, low, high = (part[:, 0] + limit for part in found.band(width))
    phi, values = elementwise(activation), []
    for _ in range(networks):
        h, seen = x, []
        for _ in range(depth):
            weight = rng.standard_normal((h.shape[1], width)) * scales[0] / math.sqrt(h.shape[1])
            before = h @ weight + scales[1] * rng.standard_normal(width)
            h = phi(before)
            seen += [read(before @ before.T / width)[0, 0], read(h @ h.T / width)[0, 0]]
        values.append(seen)
    inside = ((low < values) & (np.array(values) < high)).mean(0)
    assert (inside > 0.87).all() and (inside < 1).any(), inside  # 0.95, less three standard errors and that of the band
    ratio = np.std(values, axis=0) / ((high - low) / 2 / 1.96)
    assert ratio == pytest.approx(1, abs=0.3)


def test_readings_weighed_to_second_order_scatter_as_the_readings_themselves_do():
    """The mean over pairs of a curved function of C: once read as it is, once by its derivatives at every pair."""
    x = np.random.default_rng(3).standard_normal((6, 10))
    of = Wide(x @ x.T / 10, "erf", 1.5, 0.05, 3)

    def pairs(gram):
        size = np.sqrt(np.diagonal(gram))
        return (gram / np.outer(size, size))[np.triu_indices(6, 1)][None]

    def weigh(c):
        return Weights(np.cos(c)[None] / c.size, -np.sin(c)[None] / c.size)

    whole = drain(scatter(of, lambda gram: np.sin(pairs(gram)).mean(1)[None], 20, np.random.default_rng(4)))
    weighed = drain(scatter(of, pairs, 20, np.random.default_rng(4), weigh))
    np.testing.assert_allclose(weighed.variance, whole.variance, rtol=1e-4)
    np.testing.assert_allclose(weighed.bias, whole.bias, rtol=1e-3, atol=1e-3)


def test_leading_order_is_believed_for_shallow_and_wide_networks_alone():
    assert holds(5, 256) and holds(6, 128)
    assert not holds(10, 128) and not holds(5, 32)
