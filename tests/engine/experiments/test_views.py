"""Reading frames: what a window shows of a pair equals what was measured."""

import subprocess
import sys

import numpy as np
import pytest

from engine.events import Frame
from engine.experiments.views import layer_taps, pair_eta, readings, square, world_lines

TAPS = [
    {"name": "input", "kind": "input", "layer": 0},
    {"name": "linear 1", "kind": "linear", "layer": 1},
    {"name": "relu 1", "kind": "activation", "layer": 1},
    {"name": "logits", "kind": "logits", "layer": 2},
]


@pytest.fixture
def frame() -> Frame:
    rng = np.random.default_rng(0)
    n = 7
    eta = rng.normal(size=(2, 4, n * (n - 1) // 2)).astype(np.float32)
    return Frame(
        "matrix/clean",
        "train",
        3,
        {"eta": eta, "index": np.arange(100, 100 + n), "label": np.arange(n)},
        {"taps": TAPS},
    )


def test_the_square_matrix_is_symmetric_with_a_unit_diagonal(frame: Frame) -> None:
    c = square(frame, 2, 0)
    assert np.array_equal(c, c.T)
    assert np.array_equal(np.diag(c), np.ones(7))


def test_a_pair_is_the_same_in_either_order_and_as_in_the_matrix(frame: Frame) -> None:
    for i in range(7):
        for j in range(7):
            if i == j:
                assert pair_eta(frame, 100 + i, 100 + j) is None
                continue
            eta = pair_eta(frame, 100 + i, 100 + j)
            assert eta is not None
            assert np.array_equal(eta, pair_eta(frame, 100 + j, 100 + i))
            assert np.tanh(eta[1, 3]) == pytest.approx(square(frame, 3, 1)[i, j], abs=1e-6)


def test_a_sample_that_is_not_in_the_frame_has_no_pair(frame: Frame) -> None:
    assert pair_eta(frame, 100, 5) is None


def test_readings_of_orthogonal_and_of_golden_pairs() -> None:
    assert readings(0.0)["angle"] == pytest.approx(np.pi / 2)
    golden = readings(1.9459101490553133051)  # a = (3, 4), b = (4, 3)
    assert golden["C"] == pytest.approx(0.96, rel=1e-14)
    assert golden["angle"] == pytest.approx(0.28379410920832784563, rel=1e-14)
    assert golden["gamma"] == pytest.approx(3.5714285714285714286, rel=1e-14)


def test_layer_outputs_are_the_last_tap_of_each_layer() -> None:
    assert layer_taps(TAPS) == [0, 2, 3]


def test_world_lines_start_at_zero_and_never_leave_the_cone() -> None:
    eta = np.random.default_rng(1).normal(scale=30, size=(50, 4))
    x, depth = world_lines(eta, TAPS)
    assert x.shape == (50, 3)
    assert np.all(x[:, 0] == 0)
    assert np.all(np.abs(x) <= depth)
    assert x[:, 2] - x[:, 1] == pytest.approx(np.tanh(eta[:, 3]))


def test_a_dead_layer_ends_the_world_line() -> None:
    x, _ = world_lines(np.array([0.0, 0.0, np.nan, 1.0]), TAPS)
    assert x[0] == 0
    assert np.isnan(x[1:]).all()


@pytest.mark.parametrize(
    "module",
    [
        "engine.specs",
        "engine.experiments",
        "engine.experiments.views",
        "engine.runtime",
        "engine.session",
        "engine.lab",
        "engine.cli",
        "engine.report",
    ],
)
def test_importing_what_the_window_needs_imports_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
