"""The plane through three inputs: its geometry in closed form, and a network whose boundary in it is a straight line."""

import numpy as np
import pace
import pytest
import torch

from engine.errors import AttackError
from engine.events import Artifact, Frame, Progress, Record
from engine.experiments import open_experiment
from engine.experiments.bench import Bench
from engine.experiments.decision_map import decision_map
from engine.generators import drain
from engine.geometry.plane import ball_reach, box_reach, outline, spanned
from engine.models import Network
from engine.specs import (
    DdnSpec,
    ExperimentSpec,
    GaussianNoiseSpec,
    LinearSpec,
    MapSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
)

PROBE = ProbeSpec(samples=10, reference=20, bootstrap=50, every=10_000)
AFFINE = ExperimentSpec(
    dataset=GaussianNoiseSpec(features=6, classes=2, train_size=80, test_size=40),
    model=LinearSpec(depth=0),
    training=TrainingSpec(epochs=3, learning_rate=0.05),
    attack=PgdSpec(norm="L2", eps=2.0, alpha=0.5, steps=8, samples=20, goal="untargeted", random_start=False),
    probe=PROBE,
    map=MapSpec(resolution=41),
)
DIGITS = ExperimentSpec(
    model=MlpSpec(depth=1, width=24),
    training=TrainingSpec(epochs=2, learning_rate=0.01),
    attack=PgdSpec(eps=0.3, alpha=0.06, steps=8, samples=20),
    probe=PROBE,
    map=MapSpec(resolution=31),
)


def mapped(spec: ExperimentSpec) -> tuple[Frame, Network, Bench]:
    """The map, the network that it is of, and the bench it was made on."""
    torch.set_num_threads(spec.threads)
    bench = Bench(spec, {})
    found = [e for e in decision_map(bench) if isinstance(e, Frame) and e.topic == "decision_map"]
    assert len(found) == 1
    assert bench.trained is not None
    return found[0], bench.trained, bench


def axes(frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Origin and axes, from the three pictures alone."""
    x, x_adv, third = (image.astype(np.float64).ravel() for image in frame.arrays["images"])
    u = (x_adv - x) / np.linalg.norm(x_adv - x)
    rest = third - x - ((third - x) @ u) * u
    return x, u, rest / np.linalg.norm(rest)


def grid(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates a and b of every point, [G, G]."""
    g = len(frame.arrays["margin"])
    low_a, high_a, low_b, high_b = frame.arrays["extent"]
    return np.meshgrid(np.linspace(low_a, high_a, g), np.linspace(low_b, high_b, g))


def inputs(frame: Frame) -> torch.Tensor:
    """The grid's points as inputs, [G * G, ...]."""
    (x, u, v), (a, b) = axes(frame), grid(frame)
    points = x + a.reshape(-1, 1) * u + b.reshape(-1, 1) * v
    return torch.from_numpy(points.astype(np.float32)).reshape(-1, *frame.arrays["images"].shape[1:])


@pytest.fixture(scope="module")
def affine() -> tuple[Frame, Network, Bench]:
    return mapped(AFFINE)


@pytest.fixture(scope="module")
def digits() -> tuple[Frame, Network, Bench]:
    return mapped(DIGITS)


# --- closed forms ------------------------------------------------------------------------------------------------


def test_the_boundary_of_an_affine_network_is_a_straight_line_at_the_computed_place(affine) -> None:
    frame, model, _ = affine
    x, u, v = axes(frame)
    y = frame.info["y"]
    model = model.double()
    try:
        with torch.no_grad():
            at = model(torch.from_numpy(np.stack([x, x + u, x + v])))
    finally:
        model.float()
    margin = (at[:, y] - at[:, 1 - y]).numpy()
    slope_a, slope_b = margin[1] - margin[0], margin[2] - margin[0]
    a, b = grid(frame)
    # the frame's numbers are of float32 inputs and weights
    assert frame.arrays["margin"] == pytest.approx(margin[0] + slope_a * a + slope_b * b, abs=2e-5)
    crossings = 0
    for row, height in zip(frame.arrays["margin"], b[:, 0], strict=True):
        sign = np.flatnonzero(np.diff(np.sign(row)))
        for k in sign:
            found = a[0, k] + (a[0, k + 1] - a[0, k]) * row[k] / (row[k] - row[k + 1])
            assert found == pytest.approx(-(margin[0] + slope_b * height) / slope_a, abs=1e-4)
            crossings += 1
    assert crossings > 5
    assert ((frame.arrays["prediction"] == y) == (frame.arrays["margin"] > 0)).all()


def test_the_points_lie_where_gram_schmidt_puts_them(digits) -> None:
    frame, _, _ = digits
    x, x_adv, third = (image.astype(np.float64).ravel() for image in frame.arrays["images"])
    origin, second, last = frame.arrays["points"]
    assert origin.tolist() == [0, 0]
    assert second == pytest.approx([np.linalg.norm(x_adv - x), 0], abs=1e-9)
    assert np.hypot(*last) == pytest.approx(np.linalg.norm(third - x))
    assert np.hypot(*(last - second)) == pytest.approx(np.linalg.norm(third - x_adv))
    assert last[1] > 0
    low_a, high_a, low_b, high_b = frame.arrays["extent"]
    assert high_a - low_a == pytest.approx(high_b - low_b)
    for a, b in frame.arrays["points"]:
        assert low_a < a < high_a
        assert low_b < b < high_b


def test_every_point_says_what_the_network_says_there(digits) -> None:
    frame, model, _ = digits
    with torch.no_grad():
        logits = model(inputs(frame))
    top = logits.softmax(1).amax(1).numpy().reshape(31, 31)
    assert frame.arrays["confidence"] == pytest.approx(top, abs=1e-5)
    own = logits[:, frame.info["y"]].clone()
    logits[:, frame.info["y"]] = -torch.inf
    margin = (own - logits.amax(1)).numpy().reshape(31, 31)
    assert frame.arrays["margin"] == pytest.approx(margin, abs=1e-4)
    sure = np.abs(frame.arrays["margin"]) > 1e-3
    assert ((frame.arrays["prediction"] == frame.info["y"]) == (frame.arrays["margin"] > 0))[sure].all()


def test_the_three_points_are_told_by_the_bare_network(digits) -> None:
    frame, model, _ = digits
    with torch.no_grad():
        logits = model(torch.from_numpy(frame.arrays["images"]))
    assert frame.arrays["point_prediction"].tolist() == logits.argmax(1).tolist()
    assert frame.arrays["point_confidence"] == pytest.approx(logits.softmax(1).amax(1).numpy())


def test_the_l2_ball_is_a_circle_of_its_radius(affine) -> None:
    frame, _, _ = affine
    a, b = grid(frame)
    inside = np.hypot(a, b) <= 2.0
    edge = np.abs(np.hypot(a, b) - 2.0) < 1e-4
    assert (frame.arrays["in_ball"].astype(bool) == inside)[~edge].all()
    assert 0 < inside.sum() < inside.size
    assert np.hypot(*frame.arrays["ball"].T) == pytest.approx(np.full(len(frame.arrays["ball"]), 2.0))


def test_the_linf_ball_s_outline_is_exactly_eps_away_in_every_direction(digits) -> None:
    frame, _, _ = digits
    _, u, v = axes(frame)
    step = frame.arrays["ball"] @ np.stack([u, v])
    assert np.abs(step).max(1) == pytest.approx(np.full(len(step), 0.3))
    assert frame.arrays["ball"][0] == pytest.approx(frame.arrays["ball"][-1])
    a, b = grid(frame)
    size = np.abs(a[..., None] * u + b[..., None] * v).max(-1)
    edge = np.abs(size - 0.3) < 1e-5
    assert (frame.arrays["in_ball"].astype(bool) == (size <= 0.3))[~edge].all()


def test_valid_inputs_are_those_in_the_box_and_its_outline_holds_all_three_points(digits) -> None:
    frame, _, _ = digits
    x, u, v = axes(frame)
    points = inputs(frame).flatten(1).numpy()
    deep = (points.min(1) > 1e-4) & (points.max(1) < 1 - 1e-4)
    out = (points.min(1) < -1e-4) | (points.max(1) > 1 + 1e-4)
    found = frame.arrays["in_box"].astype(bool).ravel()
    assert found[deep].all()
    assert not found[out].any()
    assert out.any()
    for scale, valid in ((0.999, True), (1.001, False)):
        moved = x + scale * frame.arrays["box"] @ np.stack([u, v])
        long = np.hypot(*frame.arrays["box"].T) > 1e-3
        within = ((moved > -1e-9) & (moved < 1 + 1e-9)).all(1)
        assert (within[long] == valid).all()


def test_an_attack_without_a_budget_has_the_ball_that_its_own_point_lies_on() -> None:
    spec = AFFINE.model_copy(update={"attack": DdnSpec(samples=10, goal="untargeted", steps=20)})
    frame, _, _ = mapped(spec)
    x, x_adv, _ = (image.ravel().astype(np.float64) for image in frame.arrays["images"])
    assert (frame.info["eps"], frame.info["budget"]) == (None, "smallest norm")
    assert frame.info["radius"] == pytest.approx(np.linalg.norm(x_adv - x))
    assert frame.arrays["ball"][0] == pytest.approx(frame.arrays["points"][1])


# --- which points ------------------------------------------------------------------------------------------------


def test_the_first_fooled_sample_is_mapped_with_the_nearest_of_the_class_it_is_seen_as(digits) -> None:
    frame, _, bench = digits
    attacked = bench.attacked
    assert attacked is not None
    first = int(torch.nonzero(attacked.success)[0])
    assert frame.info["index"] == int(attacked.index[first])
    assert frame.arrays["images"][1] == pytest.approx(attacked.x_adv[first].numpy())
    dataset = drain(bench.dataset())
    label = int(frame.arrays["point_prediction"][1])
    same = torch.nonzero(dataset.y_test == label).flatten()
    distance = (dataset.x_test[same] - attacked.x_adv[first]).flatten(1).norm(dim=1)
    assert frame.info["third_index"] == int(same[distance.argmin()])
    assert frame.info["third_name"] == dataset.classes[label]
    assert frame.info["note"] == ""


def test_a_sample_and_a_third_one_can_be_chosen_and_the_attack_is_not_made_again(digits) -> None:
    _, _, bench = digits
    assert bench.attacked is not None
    last = int(bench.attacked.index[-1])
    given = kept(DIGITS)
    spec = DIGITS.model_copy(update={"map": MapSpec(sample=last, third=3, resolution=11)})
    events = [e for e in open_experiment("decision_map", spec, given) if e is not None]
    assert {type(e) for e in events} == {Frame, Progress}
    frame = next(e for e in events if isinstance(e, Frame))
    assert (frame.topic, frame.phase) == ("decision_map", "map")
    assert (frame.info["index"], frame.info["third_index"]) == (last, 3)
    assert frame.arrays["margin"].shape == (11, 11)
    assert events[-1] is frame


def kept(spec: ExperimentSpec) -> dict[str, Artifact]:
    found = [e for e in open_experiment("attack", spec, {}) if isinstance(e, Artifact)]
    return {e.name: e for e in found}


def test_without_an_attack_it_is_made_first() -> None:
    spec = DIGITS.model_copy(update={"map": MapSpec(resolution=11)})
    events = [e for e in open_experiment("decision_map", spec, {}) if e is not None]
    assert {e.table for e in events if isinstance(e, Record)} >= {"steps", "attack", "attacked"}
    assert isinstance(events[-1], Frame)
    assert events[-1].topic == "decision_map"


def test_a_sample_that_was_not_attacked_is_refused_in_a_sentence() -> None:
    spec = DIGITS.model_copy(update={"map": MapSpec(sample=440)})
    bench = Bench(spec, {})
    drain(_silent(bench))
    assert bench.attacked is not None
    assert 440 not in bench.attacked.index
    with pytest.raises(AttackError, match="Test sample 440 was not attacked"):
        list(decision_map(Bench(spec, kept(DIGITS))))
    with pytest.raises(AttackError, match="no test sample 999999"):
        list(decision_map(Bench(DIGITS.model_copy(update={"map": MapSpec(third=999_999)}), kept(DIGITS))))


def _silent(bench: Bench):
    from engine.experiments.attack import attack

    yield from attack(bench)


# --- planes that are none ------------------------------------------------------------------------------------------


def orthonormal(frame: Frame) -> bool:
    return bool(np.isfinite(frame.arrays["margin"]).all()) and frame.arrays["extent"][1] > frame.arrays["extent"][0]


def test_where_x_adv_is_x_the_first_axis_goes_to_the_third_sample_and_it_is_said() -> None:
    spec = AFFINE.model_copy(update={"attack": AFFINE.attack.model_copy(update={"eps": 0.0}), "seed": 2})
    frame, _, _ = mapped(spec)
    assert "x_adv is x itself" in frame.info["note"]
    x, _, third = (image.ravel() for image in frame.arrays["images"])
    assert frame.arrays["points"][1].tolist() == [0, 0]
    assert frame.arrays["points"][2] == pytest.approx([np.linalg.norm(third - x), 0], abs=1e-6)
    assert orthonormal(frame)


def test_where_the_third_sample_is_x_the_second_axis_is_random_and_it_is_said(affine) -> None:
    frame, _, _ = affine
    spec = AFFINE.model_copy(update={"map": MapSpec(sample=frame.info["index"], third=frame.info["index"])})
    again, _, _ = mapped(spec)
    assert "second axis is a random direction" in again.info["note"]
    assert again.arrays["points"][2].tolist() == [0, 0]
    assert orthonormal(again)


def test_a_class_without_another_sample_gives_a_random_direction_and_it_is_said() -> None:
    spec = AFFINE.model_copy(update={"dataset": AFFINE.dataset.model_copy(update={"classes": 40, "test_size": 20})})
    bench = Bench(spec, {})
    list(decision_map(bench))
    dataset = drain(bench.dataset())
    assert bench.attacked is not None
    assert bench.trained is not None
    with torch.no_grad():
        seen = bench.trained(bench.attacked.x_adv).argmax(1)
    alone = [
        int(i)
        for i, label in zip(bench.attacked.index, seen, strict=True)
        if not bool(((dataset.y_test == label) & (torch.arange(20) != i)).any())
    ]
    assert alone
    frame, _, _ = mapped(spec.model_copy(update={"map": MapSpec(sample=alone[0], resolution=11)}))
    assert frame.info["third_index"] == -1
    assert frame.info["third_name"] == "a random direction"
    assert "no other test sample" in frame.info["note"]
    assert orthonormal(frame)


@pytest.mark.parametrize("case", ["plain", "second is origin", "third is origin", "collinear", "all equal"])
def test_axes_are_orthonormal_whatever_the_points(case: str) -> None:
    rng = torch.Generator().manual_seed(0)
    x, y, z = torch.rand(3, 5, generator=rng)
    if case == "second is origin":
        y = x
    if case == "third is origin":
        z = x
    if case == "collinear":
        z = x + 3 * (y - x)
    if case == "all equal":
        y = z = x
    plane = spanned(x, y, z, rng)
    assert float(plane.u.norm()) == pytest.approx(1)
    assert float(plane.v.norm()) == pytest.approx(1)
    assert float(plane.u @ plane.v) == pytest.approx(0, abs=1e-12)
    told = {"plain": ("second", "third"), "second is origin": ("third", "random"), "all equal": ("random", "random")}
    assert (plane.u_towards, plane.v_towards) == told.get(case, ("second", "random"))


@pytest.mark.parametrize(("norm", "order"), [("Linf", np.inf), ("L2", 2), ("L1", 1)])
def test_outlines_of_balls_have_their_radius_in_every_norm(norm, order) -> None:
    rng = torch.Generator().manual_seed(1)
    plane = spanned(*torch.rand(3, 300, generator=rng), rng)
    reach = ball_reach(norm, 0.7)
    assert reach is not None
    found = drain(outline(plane, reach))
    step = found[:, :1] * plane.u + found[:, 1:] * plane.v
    assert torch.linalg.vector_norm(step, ord=order, dim=1).numpy() == pytest.approx(0.7)
    assert ball_reach("L0", 3.0) is None


def test_an_input_at_the_edge_of_its_range_can_leave_it_at_once() -> None:
    rng = torch.Generator().manual_seed(1)
    origin = torch.tensor([0.0, 0.5, 1.0])
    plane = spanned(origin, origin + torch.tensor([1.0, 0, 0]), origin + torch.tensor([0, 1.0, 0]), rng)
    found = drain(outline(plane, box_reach(plane, torch.zeros(3), torch.ones(3))))
    assert float(found[:, 0].min()) == pytest.approx(0, abs=1e-9)
    assert float(found[:, 0].max()) == pytest.approx(1)
    assert float(found[:, 1].abs().max()) == pytest.approx(0.5)


# --- manners -----------------------------------------------------------------------------------------------------


def test_the_same_settings_give_the_same_map_bit_for_bit(digits) -> None:
    frame, _, _ = digits
    again, _, _ = mapped(DIGITS)
    assert again.info == frame.info
    for name, values in frame.arrays.items():
        assert values.tobytes() == again.arrays[name].tobytes(), name


def test_it_breathes_often_enough_for_a_quick_cancel() -> None:
    given = kept(DIGITS)
    assert (
        pace.longest_breath(
            lambda: open_experiment("decision_map", DIGITS.model_copy(update={"map": MapSpec()}), given), 0.1
        )
        < 0.1
    )
