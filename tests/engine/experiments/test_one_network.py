"""What is measured of one network: against the layers' own definitions, the exact laws, and networks drawn anew."""

import math

import numpy as np
import pytest
import torch

from engine.experiments.one_network import last_hidden, mean, null_law, pairs_of, proper_depth, robust_accuracy
from engine.generators import drain
from engine.geometry import readings
from engine.geometry.nulls.gaussian_chain import gap
from engine.geometry.pairs import pair_geometry
from engine.models import build
from engine.specs import CnnSpec, LinearSpec, MlpSpec, PgdSpec, ResidualSpec
from tests.small_data import images, vectors

DATA = images(12)


def test_pairs_are_those_of_the_normalised_input_and_of_the_last_hidden_layer() -> None:
    model = build(MlpSpec(depth=2, width=16), DATA, 1)
    seen = drain(pairs_of(model, DATA.x_test, DATA.y_test))
    with torch.no_grad():
        entry = model.normalise(DATA.x_test).flatten(1)
        hidden = model.layers[:-1](model.normalise(DATA.x_test))
    i, j = np.triu_indices(12, 1)
    for found, features in ((seen.before, entry), (seen.after, hidden)):
        assert found == pytest.approx(pair_geometry(features[i], features[j]).eta.numpy(), abs=1e-6)
    assert seen.change == pytest.approx(mean(readings.ln_gamma(seen.after)) - mean(readings.ln_gamma(seen.before)))
    same = DATA.y_test[i] == DATA.y_test[j]
    assert seen.rapidity_of(0) == pytest.approx(seen.after[same.numpy()].mean())
    assert 1 <= seen.rank <= 12


def test_a_network_without_hidden_layers_changes_nothing() -> None:
    for spec in (LinearSpec(depth=0), MlpSpec(depth=0)):
        model = build(spec, DATA, 1)
        assert last_hidden(model).kind == "input"
        assert drain(pairs_of(model, DATA.x_test, DATA.y_test)).change == 0
        law = drain(null_law(spec, model, DATA.x_test))
        assert (law.change, law.kind) == (0, "exact")


def test_a_dead_pair_is_in_no_mean() -> None:
    x = torch.eye(4)[:3].clone()
    x[0] = 0
    data = vectors(x)
    seen = drain(pairs_of(build(LinearSpec(depth=1, width=4, normalise="none"), data, 0), x, data.y_test))
    assert np.isnan(seen.before[:2]).all() and math.isfinite(seen.ln_gamma)


@pytest.mark.parametrize(
    ("spec", "kind", "networks"),
    [
        (LinearSpec(depth=3, width=12), "exact", 150),
        (LinearSpec(depth=2, width=300, init="sigma", sigma_b=0.3), "infinite width", 40),
        (MlpSpec(depth=2, width=400), "infinite width", 30),
        (MlpSpec(depth=2, width=400, activation="tanh", init="sigma"), "infinite width", 30),
        (ResidualSpec(depth=2, width=400), "infinite width", 30),
    ],
)
def test_networks_drawn_anew_gain_what_the_law_says(spec, kind, networks) -> None:
    found = []
    for seed in range(networks):
        model = build(spec, DATA, seed)
        found.append(drain(pairs_of(model, DATA.x_test, DATA.y_test)))
    law = drain(null_law(spec, model, DATA.x_test))
    assert law.kind == kind
    for name in ("change", "ln_gamma", "rapidity"):
        values = np.array([getattr(each, name) for each in found])
        error = values.std(ddof=1) / math.sqrt(networks)
        # the wide limit itself is off by some 1/n
        assert abs(values.mean() - getattr(law, name)) < 3.5 * error + (0 if kind == "exact" else 4 / spec.width), name
    if kind == "exact":
        assert law.change == pytest.approx(3 * float(gap(12)))


def test_architectures_without_a_law_have_none() -> None:
    for spec in (
        CnnSpec(depth=1, width=8, channels=2),
        MlpSpec(depth=2, width=8, batch_norm=True),
        LinearSpec(width=1),
    ):
        law = drain(null_law(spec, build(spec, DATA, 0), DATA.x_test))
        assert law.kind == "" and math.isnan(law.change)


def test_proper_depth_is_the_sum_over_hidden_maps() -> None:
    assert proper_depth(LinearSpec(depth=6, width=16)) == pytest.approx(6 / 14.5)
    assert proper_depth(ResidualSpec(depth=6, width=16)) == pytest.approx(7 / 14.5)
    assert math.isnan(proper_depth(CnnSpec())) and math.isnan(proper_depth(LinearSpec(width=1)))


def test_robust_accuracy_counts_only_what_is_right_before_and_after() -> None:
    model = build(MlpSpec(depth=1, width=16), DATA, 3)
    with torch.no_grad():
        right = int((model(DATA.x_test).argmax(1) == DATA.y_test).sum())
    found = [
        drain(
            robust_accuracy(
                model,
                DATA.x_test,
                DATA.y_test,
                PgdSpec(norm="Linf", eps=eps, steps=10, goal="untargeted"),
                seed=0,
                bounds=DATA.bounds,
            )
        )
        for eps in (1e-6, 0.5)
    ]
    assert found[0].value == right / 12 and found[1].value == 0
    assert found[0].low < found[0].value < found[0].high
