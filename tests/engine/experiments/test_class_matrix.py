"""Every class driven to every other: counted by direct attacks, and in closed form on an affine network."""

from typing import ClassVar, Literal

import numpy as np
import pace
import pytest
import torch

from engine.attacks import run, start
from engine.errors import AttackError
from engine.events import Artifact, Frame, Progress, Record
from engine.experiments import open_experiment
from engine.experiments.bench import Bench
from engine.experiments.bench import test_order as in_order
from engine.experiments.class_matrix import class_matrix, targeted
from engine.generators import drain
from engine.specs import (
    ExperimentSpec,
    FeatureSpec,
    FgsmSpec,
    GaussianNoiseSpec,
    LinearSpec,
    MlpSpec,
    NoiseAttackSpec,
    PatchSpec,
    PgdSpec,
    ProbeSpec,
    TrainingSpec,
    UniversalSpec,
)

PROBE = ProbeSpec(samples=10, reference=20, bootstrap=50, every=10_000)
PGD = PgdSpec(eps=0.15, alpha=0.05, steps=5, samples=30, goal="untargeted", random_start=False)
DIGITS = ExperimentSpec(
    model=MlpSpec(depth=1, width=24), training=TrainingSpec(epochs=2, learning_rate=0.01), attack=PGD, probe=PROBE
)
AFFINE = ExperimentSpec(
    dataset=GaussianNoiseSpec(features=6, classes=2, train_size=80, test_size=60),
    model=LinearSpec(depth=0),
    training=TrainingSpec(epochs=3, learning_rate=0.05),
    attack=PgdSpec(norm="L2", eps=0.6, alpha=0.2, steps=10, samples=40, goal="untargeted", random_start=False),
    probe=PROBE,
)


def measured(spec: ExperimentSpec) -> tuple[list[Frame], Bench]:
    """Every frame of the matrix as it fills, and the bench it was made on."""
    torch.set_num_threads(spec.threads)
    bench = Bench(spec, {})
    return [e for e in class_matrix(bench) if isinstance(e, Frame) and e.topic == "class_matrix"], bench


@pytest.fixture(scope="module")
def digits() -> tuple[list[Frame], Bench]:
    return measured(DIGITS)


def test_each_pair_is_what_a_direct_attack_on_its_samples_gives(digits) -> None:
    frames, bench = digits
    dataset, model = drain(bench.dataset()), bench.trained
    assert model is not None
    with torch.no_grad():
        seen = model(dataset.x_test).argmax(1)
    order = in_order(dataset, DIGITS.seed)
    found = frames[-1].arrays
    for true in range(10):
        own = order[dataset.y_test[order] == true]
        chosen = torch.cat([own[seen[own] == true], own[seen[own] != true]])[:3]
        for target in set(range(10)) - {true}:
            towards = torch.full((3,), target)
            attack = start(
                model,
                dataset.x_test[chosen],
                dataset.y_test[chosen],
                PGD.model_copy(update={"goal": "next"}),
                seed=0,
                bounds=dataset.bounds,
                target=towards,
            )
            assert found["success"][true, target] == int(run(attack).success.sum()), (true, target)
            assert found["count"][true, target] == 3
    assert 0 < found["success"].sum() < found["count"].sum()


def test_on_an_affine_network_a_sample_is_moved_exactly_if_the_boundary_is_within_eps() -> None:
    frames, bench = measured(AFFINE)
    dataset, model = drain(bench.dataset()), bench.trained
    assert model is not None
    model = model.double()
    with torch.no_grad():
        zero = torch.zeros(1, 6, dtype=torch.float64)
        weight = (model(torch.eye(6, dtype=torch.float64)) - model(zero)).T  # [2, 6]: logits are affine in the input
        logits = model(dataset.x_test.double())
    seen = logits.argmax(1)
    order = in_order(dataset, AFFINE.seed)
    found = frames[-1].arrays
    for true, target in ((0, 1), (1, 0)):
        own = order[dataset.y_test[order] == true]
        chosen = torch.cat([own[seen[own] == true], own[seen[own] != true]])[:20]
        distance = (logits[chosen, true] - logits[chosen, target]) / (weight[true] - weight[target]).norm()
        assert not bool(((distance - 0.6).abs() < 1e-3).any()), "none so near the edge that rounding decides"
        assert found["success"][true, target] == int((distance < 0.6).sum())
        assert found["before"][true, target] == int((distance < 0).sum())
        assert 0 < found["success"][true, target] < 20


def test_an_attack_with_one_perturbation_for_all_is_made_anew_for_each_pair() -> None:
    noise = GaussianNoiseSpec(features=8, classes=3, train_size=90, test_size=60)
    attack = UniversalSpec(norm="L2", eps=1.5, samples=30, goal="untargeted", epochs=2)
    frames, bench = measured(AFFINE.model_copy(update={"dataset": noise, "attack": attack}))
    dataset, model = drain(bench.dataset()), bench.trained
    assert model is not None
    with torch.no_grad():
        seen = model(dataset.x_test).argmax(1)
    order = in_order(dataset, 0)
    own = order[dataset.y_test[order] == 2]
    chosen = torch.cat([own[seen[own] == 2], own[seen[own] != 2]])[:10]
    alone = start(
        model,
        dataset.x_test[chosen],
        dataset.y_test[chosen],
        attack.model_copy(update={"goal": "next"}),
        seed=0,
        bounds=None,
        target=torch.full((10,), 1),
        examples=bench.examples(),
    )
    found = frames[-1].arrays
    assert found["success"][2, 1] == int(run(alone).success.sum())
    assert found["count"].tolist() == [[0, 10, 10], [10, 0, 10], [10, 10, 0]]


def test_the_diagonal_stays_empty_and_rows_fill_one_after_the_other(digits) -> None:
    frames, _ = digits
    assert len(frames) == 10
    for row, frame in enumerate(frames):
        filled = frame.arrays["count"].sum(1) > 0
        assert filled.tolist() == [k <= row for k in range(10)]
        assert (frame.info["done"], frame.info["total"]) == (row + 1, 10)
        assert not np.diag(frame.arrays["count"]).any()
        assert not np.diag(frame.arrays["success"]).any()
        assert (frame.arrays["success"] <= frame.arrays["count"]).all()
    assert (frames[0].topic, frames[0].phase) == ("class_matrix", "matrix")


def test_frames_are_never_changed_afterwards(digits) -> None:
    frames, _ = digits
    assert frames[0].arrays["count"].sum() == 27
    assert frames[-1].arrays["count"].sum() == 270


def test_the_frame_says_what_was_done(digits) -> None:
    info = digits[0][-1].info
    assert info["classes"] == [str(k) for k in range(10)]
    assert (info["method"], info["title"], info["norm"], info["eps"]) == ("pgd", "PGD", "Linf", 0.15)
    assert info["per_class"] == 3


def test_samples_that_were_seen_as_the_target_before_are_told() -> None:
    spec = DIGITS.model_copy(update={"training": TrainingSpec(epochs=1, learning_rate=1e-5)})
    found = measured(spec)[0][-1].arrays
    assert found["before"].sum() > 0
    assert (found["before"] <= found["success"]).all()


def test_it_uses_what_was_trained_and_needs_no_attack() -> None:
    given = {e.name: e for e in open_experiment("train", DIGITS, {}) if isinstance(e, Artifact)}
    events = [e for e in open_experiment("class_matrix", DIGITS, given) if e is not None]
    assert {type(e) for e in events} == {Frame, Progress}
    assert {e.topic for e in events if isinstance(e, Frame)} == {"class_matrix"}
    done = [e.done for e in events if isinstance(e, Progress)]
    assert done == sorted(done)
    assert done[-1] == next(e.total for e in events if isinstance(e, Progress))


def test_without_a_network_it_is_trained_first() -> None:
    events = open_experiment("class_matrix", DIGITS, {})
    first = next(e for e in events if isinstance(e, Record))
    assert first.table == "steps"


class Blind(PgdSpec):
    """An attack that can only drive samples away from their class."""

    title: ClassVar[str] = "Blind"
    goal: Literal["untargeted"] = "untargeted"


def test_an_attack_without_a_targeted_form_is_refused_in_a_sentence() -> None:
    with pytest.raises(AttackError, match="Blind has no targeted form"):
        targeted(Blind())
    assert targeted(FgsmSpec(goal="untargeted")).goal != "untargeted"
    assert targeted(PGD).model_copy(update={"goal": "untargeted"}) == PGD, "nothing else is changed"


def test_noise_is_of_no_class_and_refused_in_a_sentence() -> None:
    with pytest.raises(AttackError, match="Fooling noise begins at noise, which is of no class"):
        targeted(NoiseAttackSpec())


def test_one_chosen_class_or_sample_gives_way_to_every_class_in_turn() -> None:
    patch = targeted(PatchSpec(target_class=1))
    assert isinstance(patch, PatchSpec) and patch.aim == "next"
    feature = targeted(FeatureSpec(target_sample=3))
    assert isinstance(feature, FeatureSpec) and feature.target_sample == -1


def test_it_breathes_often_enough_for_a_quick_cancel() -> None:
    given = {e.name: e for e in open_experiment("train", DIGITS, {}) if isinstance(e, Artifact)}
    assert pace.longest_breath(lambda: open_experiment("class_matrix", DIGITS, given), 0.1) < 0.1
