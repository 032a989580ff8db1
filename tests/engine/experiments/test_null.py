"""The null beside every curve: networks drawn anew, and theory where there is one."""

import numpy as np
import pytest
from looking import kept, last, longest_breath, looked, rows

from engine.experiments import null_theory
from engine.experiments.groups import GROUP_POSITION, QUANTITIES
from engine.experiments.null_phase import phase_sentence
from engine.generators import drain
from engine.geometry.nulls.gaussian_chain import gap
from engine.specs import (
    CnnSpec,
    ControlsSpec,
    ExperimentSpec,
    LinearSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    ResidualSpec,
    TrainingSpec,
)

POSITION = {quantity.name: position for position, quantity in enumerate(QUANTITIES)}
SMALL = ExperimentSpec(
    model=MlpSpec(depth=2, width=128),
    training=TrainingSpec(epochs=1),
    attack=PgdSpec(eps=0.3, alpha=0.06, steps=4, samples=30),
    probe=ProbeSpec(samples=40, reference=80, bootstrap=50),
    controls=ControlsSpec(draws=16),
)


def test_theory_lies_where_networks_drawn_anew_do():
    """Widths of 128: the bias of 1/n a layer is within the interval of 16 networks for C; the unit is the network."""
    frame = last(looked("null", SMALL), "null")
    assert frame.info["theory"] == "infinite width" and frame.info["networks"] == 16
    for view in (0, 1):
        for name in ("same", "different"):
            at = view, POSITION["C"], GROUP_POSITION[name], slice(1, -1)
            theory, mean = frame.arrays["theory"][at], frame.arrays["mean"][at]
            error = (frame.arrays["mean_high"][at] - mean) / 2.13
            assert (np.abs(theory - mean) < 4 * error + 2 / 128).all()
            assert (frame.arrays["low"][at] < theory).all() and (theory < frame.arrays["high"][at]).all()


def test_networks_drawn_anew_fall_into_the_theorys_own_band_of_finite_width():
    """60 networks against a band that no network was drawn for: 95% of them within it, to three standard errors."""
    spec = SMALL.model_copy(update={"controls": ControlsSpec(draws=60)})
    frame = last(looked("null", spec), "null")
    low, high = frame.arrays["theory_low"], frame.arrays["theory_high"]
    clean = [GROUP_POSITION["same"], GROUP_POSITION["different"]]
    for name in ("C", "angle", "rapidity"):
        at = slice(None), POSITION[name], clean, slice(1, -1)
        spread = (frame.arrays["high"][at] - frame.arrays["low"][at]) / (high[at] - low[at])
        assert (spread > 0.75).all() and (spread < 1.35).all(), name  # of the measured band to the theory's
        middle = (low[at] + high[at]) / 2
        error = (frame.arrays["mean_high"][at] - frame.arrays["mean_low"][at]) / 4
        assert (np.abs(middle - frame.arrays["mean"][at]) < 4 * error).all(), name
    assert np.isnan(low[..., [0, -1]]).all() and np.isnan(low[:, :, GROUP_POSITION["adv_target"]]).all()
    assert "band" in frame.info["sentence"]


def test_too_narrow_networks_have_no_band_and_are_told_so():
    spec = SMALL.model_copy(update={"model": MlpSpec(depth=2, width=16), "controls": ControlsSpec(draws=2)})
    frame = last(looked("null", spec), "null")
    assert np.isnan(frame.arrays["theory_low"]).all() and "too narrow" in frame.info["sentence"]


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        (("tanh", 0.9, 0.5), "ordered (χ₁ = 0.492): pairs end at c* = 1, by a factor e in ξ = 1.41 layers"),
        (("tanh", 2.5, 0.3), "chaotic (χ₁ = 1.59): pairs end at c* = 0.122, by a factor e in ξ = 5.11 layers"),
        (("erf", 2.5, 0.3), "chaotic (χ₁ = 1.82): pairs end at c* = 0.0932, by a factor e in ξ = 4.24 layers"),
        (("tanh", 1.2992209668018502, 0.19504153688706688), "critical (χ₁ = 1): pairs end at c* = 1."),
        (("tanh", 0.8, 0.0), "signals die out"),
        (("gelu", 2**0.5, 0.0), "signals die out"),
        (("gelu", 3.0, 0.1), "grows without end"),
    ],
)
def test_the_phase_is_said_in_a_sentence(scales, said):
    assert said in phase_sentence(*scales)


def test_the_phase_stands_in_the_nulls_sentence_of_a_smooth_network_and_relu_has_none():
    model = MlpSpec(depth=1, width=32, activation="tanh", init="sigma", sigma_w=2.5, sigma_b=0.3)
    frame = last(looked("null", SMALL.model_copy(update={"model": model, "controls": ControlsSpec(draws=2)})), "null")
    assert "it is chaotic" in frame.info["sentence"]
    assert phase_sentence("relu", 1.4, 0.0) == ""


def test_networks_without_biases_have_the_theory_of_no_bias_whatever_its_scale():
    model = MlpSpec(depth=2, width=64, activation="tanh", init="sigma", sigma_w=1.5, sigma_b=1.0, bias=False)
    few = SMALL.model_copy(update={"controls": ControlsSpec(draws=2)})
    one, other = (
        last(looked("null", few.model_copy(update={"model": each})), "null")
        for each in (model, model.model_copy(update={"sigma_b": 0.0, "bias": True}))
    )
    np.testing.assert_array_equal(one.arrays["theory"], other.arrays["theory"])
    assert one.info["sentence"] == other.info["sentence"] and "σ_b = 0 " in one.info["sentence"]


@pytest.mark.parametrize("kind", [MlpSpec, ResidualSpec])
def test_a_network_without_hidden_layers_is_a_linear_map_and_its_theory_says_no_more(kind):
    spec = SMALL.model_copy(
        update={"model": kind(depth=0, width=256, activation="tanh"), "controls": ControlsSpec(draws=4)}
    )
    frame = last(looked("null", spec), "null")
    assert np.isfinite(frame.arrays["theory"][0, 0, GROUP_POSITION["same"], -1])
    for word in ("narrow", "band", "χ", "W tanh", "entangling"):
        assert word not in frame.info["sentence"]


def test_a_theory_is_worked_out_once():
    x, groups = np.random.default_rng(0).standard_normal((20, 5)), np.zeros(45, np.int64)
    spec = MlpSpec(depth=1, width=100, sigma_b=0.123)

    def ask(seed=0, x=x):
        work = null_theory.theory(spec, x, 10, groups, 1, 3, 4, seed)
        return len(list(work)), drain(null_theory.theory(spec, x, 10, groups, 1, 3, 4, seed))

    breaths, first = ask()
    assert breaths > 1
    assert ask()[0] == 0 and ask()[1] is first
    assert ask(seed=1)[0] > 1 and ask(x=2 * x)[0] > 1


def test_theory_lies_where_residual_networks_do():
    spec = SMALL.model_copy(update={"model": ResidualSpec(depth=3, width=256, branches="alpha", alpha=0.7)})
    frame = last(looked("null", spec), "null")
    assert frame.info["theory"] == "infinite width" and "residual" in frame.info["sentence"]
    for view in (0, 1):
        for name in ("same", "different"):
            at = view, POSITION["C"], GROUP_POSITION[name], slice(1, -1)
            assert (frame.arrays["low"][at] < frame.arrays["theory"][at]).all()
            assert (frame.arrays["theory"][at] < frame.arrays["high"][at]).all()


def test_batch_normalisation_has_a_measured_null_alone():
    model = MlpSpec(depth=2, width=32, batch_norm=True)
    frame = last(looked("null", SMALL.model_copy(update={"model": model, "controls": ControlsSpec(draws=4)})), "null")
    assert frame.info["theory"] == "" and "batch normalisation" in frame.info["sentence"]
    assert (
        np.isnan(frame.arrays["theory"]).all() and np.isfinite(frame.arrays["mean"][0, 0, GROUP_POSITION["same"]]).all()
    )


def test_deep_linear_networks_conserve_the_angle_and_add_the_gap():
    spec = SMALL.model_copy(update={"model": LinearSpec(depth=3, width=16)})
    frame = last(looked("null", spec), "null")
    assert frame.info["theory"] == "exact"
    theory = frame.arrays["theory"]
    for view in (0, 1):
        group = GROUP_POSITION["different"]
        angle, ln_gamma = theory[view, POSITION["angle"], group], theory[view, POSITION["ln_gamma"], group]
        np.testing.assert_allclose(angle[1:], angle[1], atol=1e-6)
        np.testing.assert_allclose(np.diff(ln_gamma[1:]), gap([16, 16, 10]), atol=1e-5)
    mean, high = (
        frame.arrays[name][0, POSITION["ln_gamma"], GROUP_POSITION["different"]] for name in ("mean", "mean_high")
    )
    assert (
        np.abs(mean - theory[0, POSITION["ln_gamma"], GROUP_POSITION["different"]])[1:] < 2 * (high - mean)[1:]
    ).all()


def test_convolutions_have_no_theory_but_a_band():
    spec = SMALL.model_copy(update={"model": CnnSpec(depth=1, channels=4, width=16), "controls": ControlsSpec(draws=4)})
    frame = last(looked("null", spec), "null")
    assert frame.info["theory"] == "" and "drawn anew" in frame.info["sentence"]
    assert np.isnan(frame.arrays["theory"]).all()
    group = frame.arrays["low"][0, 0, GROUP_POSITION["same"]], frame.arrays["high"][0, 0, GROUP_POSITION["same"]]
    assert (group[0][1:] < group[1][1:]).all()


def test_biases_break_the_exact_law_of_uncentred_features_alone():
    model = LinearSpec(depth=2, width=16, init="sigma", sigma_w=1.0, sigma_b=0.5)
    frame = last(looked("null", SMALL.model_copy(update={"model": model, "controls": ControlsSpec(draws=2)})), "null")
    same = GROUP_POSITION["same"]
    assert (
        np.isnan(frame.arrays["theory"][1, :, same]).all() and np.isfinite(frame.arrays["theory"][0, :, same, 1:]).all()
    )


def test_the_attacks_groups_have_a_null_once_there_is_an_attack():
    before = last(looked("null", SMALL), "null")
    assert np.isnan(before.arrays["mean"][:, :, GROUP_POSITION["adv_target"]]).all()
    attacked = looked("attack", SMALL)
    events = looked("null", SMALL, kept(attacked))
    after = last(events, "null")
    assert np.isfinite(after.arrays["mean"][:, 0, GROUP_POSITION["adv_target"]]).all()
    table = rows(events, "null")
    assert {row["networks"] for row in table} == {16}
    assert {row["group"] for row in table} >= {"same", "different", "adv_target", "random_target"}


def test_the_same_seed_gives_the_same_null():
    spec = SMALL.model_copy(update={"controls": ControlsSpec(draws=3)})
    a, b = (last(looked("null", spec), "null").arrays["mean"] for _ in range(2))
    assert np.array_equal(a, b, equal_nan=True)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_it_can_be_cancelled_at_once(activation):
    spec = SMALL.model_copy(update={"model": MlpSpec(depth=2, width=64, activation=activation)})
    looked("null", spec)  # torch and the data are warm
    assert longest_breath("null", spec, {}) < 0.2


def test_world_lines_of_a_deep_linear_network_go_beyond_the_precision_of_its_features():
    """Width 2: the gap is ln 2 a layer, so 60 layers reach a rapidity of about 40, where float32 ends at 17."""
    spec = SMALL.model_copy(update={"model": LinearSpec(depth=60, width=2, init="lecun", bias=False)})
    frame = last(looked("model", spec), "pairs")
    eta = np.abs(frame.arrays["eta"])
    matrix = np.abs(last(looked("model", spec), "matrix/clean").arrays["eta"])
    assert np.median(eta[:, :, -2]) > 25
    assert np.isinf(matrix[:, -2]).mean() + (matrix[:, -2] < 25).mean() > 0.9  # the features themselves cannot tell
    shallow = np.abs(eta[0, :, 1:5])
    assert np.isfinite(shallow).all() and shallow.max() < 16
