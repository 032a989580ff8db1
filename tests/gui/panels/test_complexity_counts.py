"""The panel counts a network once, however many points of the sweep attack it."""

from __future__ import annotations

import numpy as np

from engine.sweep.columns import BY_NAME, Column
from gui.panels.complexity.networks import SESSION, Networks, of_sweep

AXES = [Column(name, name, "", "axis", "") for name in ("seed", "attack.eps", "training.epochs")]


def arrays(**more: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "id": np.arange(4),
        "seed": np.array([0.0, 0, 1, 1]),
        "attack.eps": np.array([0.1, 0.2, 0.1, 0.2]),
        "training.epochs": np.array([1.0, 1, 1, 2]),
        **more,
    }


def test_points_that_differ_in_their_attack_alone_are_one_network():
    trained = of_sweep([*AXES, BY_NAME["test_accuracy"]], arrays(test_accuracy=np.array([0.5, 0.5, 0.7, 0.8])))
    assert trained.of("robust_accuracy").tolist() == trained.of("initial_change", "change").tolist() == [0, 0, 1, 2]


def test_what_is_known_before_training_is_of_networks_that_their_training_does_not_tell_apart():
    trained = of_sweep([*AXES, BY_NAME["test_accuracy"]], arrays(test_accuracy=np.array([0.5, 0.5, 0.7, 0.8])))
    assert trained.of("theory_change", "initial_change").tolist() == [0, 0, 1, 1]
    assert trained.of("training.epochs", "initial_change").tolist() == [0, 0, 1, 2]


def test_without_training_its_settings_make_no_other_network():
    assert of_sweep(AXES, arrays()).of("change").tolist() == [0, 0, 1, 1]


def test_networks_of_a_session_are_what_they_are():
    assert Networks(SESSION, tuple(AXES), arrays(), np.arange(4)).of("change").tolist() == [0, 1, 2, 3]
