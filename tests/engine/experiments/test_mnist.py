"""The acceptance experiment on real MNIST: depth 6, width 256, three epochs, targeted L-inf PGD (eps 0.1, 40 steps)."""

from pathlib import Path

import numpy as np
import pytest

from engine.events import Frame, Record
from engine.experiments import open_experiment
from engine.experiments.views import layer_taps
from engine.paths import RESOURCES
from engine.spec_files import apply_overrides, load_spec

pytestmark = [pytest.mark.mnist, pytest.mark.slow]


@pytest.fixture(scope="module")
def story(mnist_folder: Path) -> tuple[float, Frame]:
    """Test accuracy and the measured profile of the ready MNIST example."""
    spec = load_spec(RESOURCES / "examples" / "mnist-takeover.toml")
    spec = apply_overrides(spec, [f"dataset.folder={mnist_folder}"])
    assert (spec.model.depth, spec.model.width, spec.training.epochs) == (6, 256, 3)
    assert (spec.attack.norm, spec.attack.eps, spec.attack.steps, spec.attack.goal) == ("Linf", 0.1, 40, "next")
    accuracy, profile = 0.0, None
    for event in open_experiment("story", spec, {}):
        if isinstance(event, Record) and event.table == "epochs":
            accuracy = float(event.row["test_accuracy"] or 0)
        elif isinstance(event, Frame) and event.topic == "profile" and event.phase == "measure":
            profile = event
    assert profile is not None
    return accuracy, profile


def curve(frame: Frame, part: str, group: str, net: int = 0) -> np.ndarray:
    names = [each["name"] for each in frame.info["groups"]]
    return frame.arrays[part][net, 0, 0, names.index(group), layer_taps(frame.info["taps"])]


def test_the_network_reaches_97_percent_in_three_epochs(story: tuple[float, Frame]) -> None:
    assert story[0] >= 0.97


@pytest.mark.parametrize("group", ["adv_target", "adv_success"])
def test_correlation_with_the_target_class_rises_with_depth(story: tuple[float, Frame], group: str) -> None:
    mean = curve(story[1], "mean", group)
    assert (np.diff(mean[:-1]) > 0).all(), "at every hidden layer more than at the one before"
    assert mean[-2] > mean[0] + 0.2


def test_it_rises_far_above_the_control_and_above_initialisation(story: tuple[float, Frame]) -> None:
    adversarial = curve(story[1], "low", "adv_target")[3:-1]
    assert (adversarial > curve(story[1], "high", "random_target")[3:-1] + 0.1).all()
    assert (adversarial > curve(story[1], "high", "adv_target", net=1)[3:-1]).all()


def test_it_stays_below_what_two_images_of_the_target_class_reach(story: tuple[float, Frame]) -> None:
    assert (curve(story[1], "high", "adv_target")[:-1] < curve(story[1], "low", "target_members")[:-1]).all()
