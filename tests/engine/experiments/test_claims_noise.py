"""Verdicts on linear networks and noise, and on readable output: each word from the frames that lead to it."""

import numpy as np
import pytest

from engine.events import Frame
from engine.experiments.claims import CLAIMS, missing, verdict

CLAIM = {claim.key: claim for claim in CLAIMS}
TAPS = [{"name": name} for name in ("input", "relu 1", "relu 2", "logits")]


def noise(
    loss=1e-19, blind=1e-19, centred=0.48, centred_blind=1e-13, wrong=0.0, centred_wrong=0.48, labels=0.5, boost=1.0,
    descent=2e-4, done=True,
):  # fmt: skip
    """Two layers, of which the last counts; intervals are a tenth about the value."""
    arrays = {
        "wrong_pole": np.array([[0.0, wrong], [0.5, centred_wrong]]),
        "label_samples": np.array([16, 256]),
        "label_train": np.array([1.0, 0.7]),
        "label_test": np.array([labels, 0.49]),
    }
    for name, values in (("unseen_loss", (loss, centred)), ("blind_loss", (blind, centred_blind))):
        for end, factor in (("", 1.0), ("_low", 0.9), ("_high", 1.1)):
            arrays[name + end] = np.array([[0.3, factor * value] for value in values])
    shared = {"blind_loss": descent, "blind_loss_low": 0.9 * descent, "blind_loss_high": 1.1 * descent}
    info = {
        "done": done,
        "title": "Uniform noise",
        "depth": 20,
        "unseen": 1000,
        "law": 1.017,
        "constant_loss": [0.0, 0.0],
        "final": {"boost": boost, "boost_low": boost - 0.1, "boost_high": boost + 0.1},
        "descent": {"shared": shared},
    }
    return {"max_likelihood": Frame("max_likelihood", "measure", 0, arrays, info)}


def reconciliation(fooling=0.99, raw=0.05, other=0.0, robust=(1.0, 0.9, 0.6, 0.2), count=100, **info):
    arrays = {"count": np.full((4, 4), count), "robust_norm": np.array([0.0, 0.5, 1.0, 2.0])}
    recovered = np.zeros((4, 4))
    recovered[:, 2] = fooling, raw, 0.97, other
    for end, off in (("", 0.0), ("_low", -0.04), ("_high", 0.04)):
        arrays[f"recovered{end}"] = recovered + off
    arrays["robust_share"] = np.stack([np.array(robust), np.zeros(4), np.ones(4)])
    info = {
        "taps": TAPS,
        "chosen": {"class": 3, "layer": "relu 2", "tap": 2},
        "uncentred": 0.74,
        "random_net": 0.0,
        "fooled": 1.0,
        **info,
    }
    return Frame("reconciliation", "measure", 0, arrays, {"done": True, **info})


def price(impostor=0.5, network=True, **info):
    shares = np.full((3, 2), impostor)
    if not network:
        shares[2] = np.nan
    arrays = {"depth": np.array([0, 40]), "distinct": np.array([[200, 2], [200, 1], [200, 3]])}
    arrays |= {f"impostor{end}": shares + off for end, off in (("", 0.0), ("_low", -0.05), ("_high", 0.05))}
    told = {"done": True, "series": ["zero-mean", "uniform", "features of relu 2"], "counts": [200, 200, 180], **info}
    return Frame("price", "measure", 0, arrays, told)


def both(*frames):
    return {frame.topic: frame for frame in frames}


@pytest.mark.parametrize(
    ("given", "word", "said"),
    [
        ({}, "holds in part", "a predictor that sees nothing has it as well"),
        ({}, "holds in part", "48% end at the antipode and the loss is 0.48"),
        ({}, "holds in part", "no better than by chance"),
        (
            {"centred_blind": 0.4},
            "holds in part",
            "with the mean subtracted samples arrive nowhere (sign-blind loss 0.4)",
        ),
        ({"centred": 1e-12}, "holds in part", "With the mean subtracted it is zero too"),
        ({"labels": 0.9}, "holds in part", "beyond chance in 1 of 2"),
        ({"labels": 0.533}, "holds in part", "no better than by chance"),  # beyond 95% of one size, not of two
        ({"loss": 0.5, "wrong": 0.5}, "not supported", "50% of them at the antipode"),
        ({"loss": 0.9e-6}, "holds in part", ""),
        ({"loss": 0.95e-6}, "not supported", ""),  # the interval reaches beyond
        ({"loss": 0.2, "blind": 0.2}, "undecided", "take more layers"),
        ({"labels": np.nan}, "undecided", "Random labels were not measured"),
        ({"centred": np.nan}, "undecided", ""),
        ({"loss": np.nan}, "undecided", ""),
    ],
)
def test_zero_loss_on_noise_holds_in_part_at_most_since_a_constant_has_it(given, word, said):
    found = verdict(CLAIM["noise"], noise(**given))
    assert found.word == word and said in found.sentence
    assert (word == "undecided") or "reconstruction" in found.sentence
    labels = [number.label for number in found.numbers]
    assert any("constant predictor" in label for label in labels) and any(
        "mean subtracted" in label for label in labels
    )
    assert found.numbers[0].low == pytest.approx(0.9 * found.numbers[0].value, nan_ok=True)


@pytest.mark.parametrize(
    ("given", "word", "said"),
    [
        ({}, "holds in part", "with the mean subtracted, 48% are at the antipode"),
        ({"wrong": 0.4}, "holds in part", "as they are, 40% are at the antipode"),
        ({"centred_wrong": 0.0, "descent": 1e-8}, "holds", "gradient descent brings them there too"),
        (
            {"centred_wrong": 0.0},
            "holds in part",
            "gradient descent leaves unseen samples at a sign-blind loss of 0.0002",
        ),
        ({"boost": 0.05, "blind": 0.2}, "not supported", "without selection"),
        ({"blind": 0.01}, "undecided", "haven't arrived"),
        ({"centred_blind": 0.01}, "holds in part", "with the mean subtracted they do not (sign-blind loss 0.01"),
        ({"descent": np.nan}, "undecided", ""),
        ({"boost": np.nan}, "undecided", ""),
    ],
)
def test_a_shared_point_is_one_only_if_none_is_at_the_antipode_and_descent_agrees(given, word, said):
    found = verdict(CLAIM["shared point"], noise(**given))
    assert found.word == word and said in found.sentence
    assert any("gradient descent" in number.label for number in found.numbers)


def test_a_run_that_is_still_going_on_decides_neither():
    frames = noise(done=False)
    for key in ("noise", "shared point"):
        assert verdict(CLAIM[key], frames) is None and missing(CLAIM[key], frames) == ("max_likelihood",)


@pytest.mark.parametrize(
    ("given", "word", "said"),
    [
        ({}, "holds in part", "Every pixel comes from the helper data"),
        ({}, "holds in part", "half or more is recovered up to 1; at 2 20%"),
        ({"robust": (1.0, 0.9, 0.9, 0.8)}, "holds in part", "up to 2; no larger one was tried"),
        ({"robust": (1.0, 0.3, 0.9, 0.9)}, "holds in part", "Robust it is not"),
        ({"fooling": 0.3}, "not supported", "less than half"),
        ({"random_net": 0.97}, "not supported", "untrained network"),
        ({"random_net": None}, "undecided", ""),
        ({"raw": 0.95}, "not supported", "no more often than raw noise"),
        ({"other": 0.95}, "not supported", "another class's lock"),
        ({"fooled": 0.77}, "holds in part", "77% of it made the network as sure as was asked"),
        ({"fooled": 0.0}, "undecided", "No noise fooled the network"),
        ({"raw": np.nan}, "undecided", ""),
    ],
)
def test_readable_output_is_the_helpers_and_must_beat_raw_noise_and_other_locks(given, word, said):
    found = verdict(CLAIM["readable"], both(reconciliation(**given), price()))
    assert found.word == word and said in found.sentence


def test_what_entangling_first_would_cost_is_told_beside_it():
    found = verdict(CLAIM["readable"], both(reconciliation(), price()))
    assert "impostors open 50% then, and 3 different hashes are left" in found.sentence
    assert "features of relu 2" in found.numbers[-2].label and found.numbers[-1].label.endswith("of 180")
    drawn = verdict(CLAIM["readable"], both(reconciliation(), price(network=False)))
    assert drawn.word == "holds in part" and "2 different hashes" in drawn.sentence
    assert verdict(CLAIM["readable"], both(reconciliation(), price(impostor=np.nan))).word == "undecided"


def test_readable_needs_both_runs_of_the_same_settings():
    claim = CLAIM["readable"]
    assert missing(claim, both(reconciliation())) == ("price",)
    assert missing(claim, both(reconciliation(key="a"), price(key="b"))) == ("reconciliation",)
    assert verdict(claim, both(reconciliation(key="a"), price(key="a"))).word == "holds in part"
