"""Verdicts come from runs alone, and say what the runs say."""

import numpy as np
import pytest

from engine.events import Frame
from engine.experiments import EXPERIMENTS
from engine.experiments.claims import CLAIMS, missing, verdict
from engine.experiments.groups import GROUPS, QUANTITIES

CLAIM = {claim.key: claim for claim in CLAIMS}
TAPS = [{"name": name} for name in ("input", "relu 1", "logits")]
NAMES = ["adversarial", "clean", "random", "initial", "other", "members"]


def takeover(adversarial=0.6, other=0.3, members=0.8, done=True):
    mean = np.array([adversarial, -0.1, 0.0, 0.1, other, members])[:, None].repeat(3, 1)
    arrays = {"success_mean": mean, "success_low": mean - 0.03, "success_high": mean + 0.03}
    info = {"names": NAMES, "labels": NAMES, "taps": TAPS, "done": done}
    return Frame("takeover", "measure", 0, arrays, info)


def falsifier(adversarial=0.05, success=1.0):
    mean = np.array([adversarial, 0.0])[:, None].repeat(3, 1)
    arrays = {"success_mean": mean, "success_low": mean - 0.03, "success_high": mean + 0.03}
    info = {"names": ["adversarial", "random"], "labels": ["x_adv", "random"], "taps": TAPS, "success": success}
    return Frame("falsifier", "measure", 0, arrays, info)


def pairs(topic, same, different, reach):
    mean = np.full((2, len(QUANTITIES), len(GROUPS), 3), np.nan)
    mean[:, :, 0], mean[:, :, 1] = same, different
    return Frame(topic, "measure", 0, {"mean": mean, "low": mean - reach, "high": mean + reach}, {"taps": TAPS})


def statistics(topic, found):
    rows = [{"name": n, "label": n, "rho": rho, "p": p, "low": None, "high": None} for n, (rho, p) in found.items()]
    return Frame(topic, "measure", 0, {}, {"statistics": rows})


def test_without_a_run_there_is_no_verdict_and_what_is_missing_is_told():
    assert all(verdict(claim, {}) is None for claim in CLAIMS)
    assert missing(CLAIM["adversarial"], {"takeover": takeover()}) == ("falsifier",)
    assert verdict(CLAIM["perfect"], {"takeover": takeover(done=False)}) is None


def test_what_cannot_be_tested_yet_has_no_experiment_and_never_a_verdict():
    later = [claim for claim in CLAIMS if not claim.tested_by]
    assert {claim.key for claim in later} >= {"noise", "shared point", "readable", "relativity"}
    assert all(claim.judge is None for claim in later)


def test_every_claim_is_tested_by_experiments_that_exist():
    for claim in CLAIMS:
        assert set(claim.tested_by) <= set(EXPERIMENTS), claim.key
        assert (claim.judge is None) == (claim.tested_by == ())


@pytest.mark.parametrize(
    ("frames", "word"),
    [
        ((takeover(), falsifier()), "holds in part"),
        ((takeover(), falsifier(success=0.2)), "holds"),
        ((takeover(), falsifier(adversarial=0.6)), "holds"),
        ((takeover(other=0.6), falsifier()), "not supported"),
    ],
)
def test_the_falsifier_and_the_controls_decide_on_adversarial_examples(frames, word):
    found = verdict(CLAIM["adversarial"], {frame.topic: frame for frame in frames})
    assert found.word == word and "falsifier" in found.control
    assert found.numbers[0].value == pytest.approx(0.6) and found.numbers[0].low == pytest.approx(0.57)


@pytest.mark.parametrize(("adversarial", "word"), [(0.6, "not supported"), (0.79, "holds in part"), (1.03, "holds")])
def test_perfect_correlation_is_measured_against_the_ceiling(adversarial, word):
    assert verdict(CLAIM["perfect"], {"takeover": takeover(adversarial)}).word == word


@pytest.mark.parametrize(
    ("same", "different", "word"), [(0.7, -0.2, "holds"), (0.7, 0.0, "holds in part"), (0.4, 0.0, "not supported")]
)
def test_entanglement_must_exceed_untrained_networks(same, different, word):
    frames = {"repeats": pairs("repeats", same, different, 0.02), "null": pairs("null", 0.4, 0.0, 0.1)}
    assert verdict(CLAIM["entangled"], frames).word == word


def test_bell_is_never_violated_and_says_why():
    rows = [{"tap": "input", "S": 2.0, "error": 0.0, "algebraic": 2.8}, {"tap": "dead"}]
    found = verdict(CLAIM["bell"], {"bell": Frame("bell", "measure", 0, {}, {"layers": rows})})
    assert found.word == "not supported" and "theorem" in found.sentence


def test_transfer_needs_more_than_like_gradients():
    name, partial = "transferability", "cka | gradient_cosine"
    frames = [
        statistics(name, {"cka": cka, partial: given})
        for cka, given in (((0.8, 0.001), (0.5, 0.01)), ((0.8, 0.001), (0.2, 0.15)), ((0.1, 0.6), (0.0, 0.9)))
    ]
    words = [verdict(CLAIM["transfer"], {name: frame}).word for frame in frames]
    assert words == ["holds", "holds in part", "not supported"]


def test_vulnerability_must_survive_depth_and_accuracy_and_hold_within_networks():
    name = "vulnerability"
    over, within = (
        ("network rate", "network rate | accuracy, layers"),
        ("input boost", "input boost | margin, input_distance"),
    )
    all_of_it = statistics(name, dict.fromkeys((*over, *within), (-0.6, 0.001)))
    artefact = statistics(name, {over[0]: (-0.7, 0.0005), over[1]: (-0.16, 0.49), within[0]: (-0.06, 0.4)})
    wrong_way = statistics(name, dict.fromkeys((*over, *within), (0.6, 0.001)))
    words = [verdict(CLAIM["vulnerable"], {name: frame}).word for frame in (all_of_it, artefact, wrong_way)]
    assert words == ["holds", "holds in part", "not supported"]


@pytest.mark.parametrize("key", ["adversarial", "perfect"])
def test_without_a_success_nothing_is_decided(key):
    frames = {"takeover": takeover(adversarial=np.nan), "falsifier": falsifier()}
    assert verdict(CLAIM[key], frames).word == "undecided"


def test_without_a_live_layer_bell_decides_nothing():
    frame = Frame("bell", "measure", 0, {}, {"layers": [{"tap": "input"}]})
    assert verdict(CLAIM["bell"], {"bell": frame}).word == "undecided"
