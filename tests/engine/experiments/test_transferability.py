"""Similarity against transfer: planted truths, and statistics against the frame's own arrays."""

from dataclasses import replace
from itertools import pairwise, permutations
from time import thread_time

import numpy as np
import pace
import pytest
import torch
from scipy.stats import spearmanr

from engine.attacks import run as run_attack
from engine.attacks import start
from engine.errors import AttackError
from engine.events import Artifact, Event, Frame, Progress, Record
from engine.experiments import LOOKS, open_experiment
from engine.experiments.bench import Bench
from engine.experiments.fleet import FEWEST as FEWEST_INPUTS
from engine.experiments.fleet import Fleet, fleet_of
from engine.experiments.rates import wilson
from engine.experiments.transferability import Transfers, main_effects, transferability
from engine.generators import drain
from engine.geometry.similarity import cka
from engine.models import observe
from engine.specs import ControlsSpec, ExperimentSpec, PgdSpec, TrainingSpec, TransferSpec

SMALL = ExperimentSpec(
    training=TrainingSpec(epochs=4, learning_rate=0.003), controls=ControlsSpec(networks=4, permutations=100)
)


def run(given: dict[str, Artifact] | None = None) -> tuple[list[Event], list[float]]:
    events, times = [], [thread_time()]
    for event in open_experiment("transferability", SMALL, given or {}):
        times.append(thread_time())
        if event is not None:
            events.append(event)
    return events, [b - a for a, b in pairwise(times)]


@pytest.fixture(scope="module")
def first() -> tuple[list[Event], list[float]]:
    return run()


@pytest.fixture(scope="module")
def frame(first: tuple[list[Event], list[float]]) -> Frame:
    return frames(first[0])[-1]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return drain(fleet_of(Bench(SMALL, {})))


def frames(events: list[Event]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame) and event.topic == "transferability"]


def statistic(frame: Frame, name: str) -> dict[str, object]:
    (found,) = [each for each in frame.info["statistics"] if each["name"] == name]
    return found


def off_diagonal(matrix: np.ndarray) -> np.ndarray:
    return matrix[~np.eye(len(matrix), dtype=bool)]


def test_it_is_a_closer_look_that_ends_finished(first: tuple[list[Event], list[float]]) -> None:
    events, _ = first
    assert "transferability" in LOOKS
    assert isinstance(events[-1], Progress) and events[-1].done == events[-1].total
    assert [each.info["done"] for each in frames(events)] == [False] * 5 + [True]
    assert [each.keep for each in frames(events)] == [False] * 5 + [True]
    # rows fill up one after another, and a frame does not change once it has been sent
    assert [int(np.isfinite(each.arrays["transfer"]).all((0, 2)).sum()) for each in frames(events)] == [
        1,
        2,
        3,
        4,
        4,
        4,
    ]


def test_the_frame_holds_matrices_source_by_target(frame: Frame) -> None:
    of_each = {"transfer", "transfer_low", "transfer_high", "corrected"}
    assert set(frame.arrays) == {*of_each, "counted", "cka", "rsa", "gradient_cosine"}
    assert [each["name"] for each in frame.info["attacks"]] == ["pgd", "fgsm", "mi", "noise"]
    for name, matrix in frame.arrays.items():
        assert matrix.shape == ((4, 4, 4) if name in of_each else (4, 4))
    for name in ("cka", "rsa", "gradient_cosine"):
        assert np.allclose(np.diag(frame.arrays[name]), 1) and np.allclose(frame.arrays[name], frame.arrays[name].T)
        assert (np.abs(off_diagonal(frame.arrays[name])) < 1).all()
    assert [each["depth"] for each in frame.info["networks"]] == [1, 2, 3, 4]


def test_the_budget_is_such_that_white_box_attacks_succeed(frame: Frame) -> None:
    assert (
        frame.info["white_box"] == pytest.approx(np.diag(frame.arrays["transfer"][0]).mean())
        and frame.info["white_box"] > 0.9
    )
    assert frame.info["mean_transfer"] == pytest.approx(off_diagonal(frame.arrays["transfer"][0]).mean())
    assert frame.info["mean_transfer"] < frame.info["white_box"]
    assert 0.2 < frame.info["eps"] < 3 and frame.info["norm"] == "L2"


def test_transfer_is_counted_among_inputs_that_both_see_rightly(frame: Frame, fleet: Fleet) -> None:
    index = fleet.order[: frame.info["inputs"]]
    x, y = fleet.data.x_test[index], fleet.data.y_test[index]
    source, target = fleet.members[2].model, fleet.members[0].model
    spec = PgdSpec(norm="L2", eps=frame.info["eps"], steps=SMALL.transfer.steps, goal="untargeted", stop=False)
    x_adv = run_attack(start(source, x, y, spec, seed=SMALL.seed, bounds=(0.0, 1.0))).x_adv
    with torch.no_grad():
        both = (source(x).argmax(1) == y) & (target(x).argmax(1) == y)
        fooled = target(x_adv).argmax(1) != y
    assert frame.arrays["counted"][2, 0] == int(both.sum()) < len(y)
    assert frame.arrays["transfer"][0, 2, 0] == pytest.approx(float(fooled[both].double().mean()))
    assert float((x_adv - x).flatten(1).norm(dim=1).max()) <= frame.info["eps"] + 1e-5
    low, high = wilson(int(fooled[both].sum()), int(both.sum()))
    assert frame.arrays["transfer_low"][0, 2, 0] == pytest.approx(low)
    assert frame.arrays["transfer_high"][0, 2, 0] == pytest.approx(high)
    clean = float((target(x).argmax(1) != y).double().mean())
    assert clean > 0
    expected = (float(fooled.double().mean()) - clean) / (1 - clean)
    assert frame.arrays["corrected"][0, 2, 0] == pytest.approx(expected)


def test_noise_transfers_next_to_nothing_and_attacks_made_to_transfer_do(frame: Frame) -> None:
    means = {each["name"]: each["mean_transfer"] for each in frame.info["attacks"]}
    assert means["noise"] < 0.1 < means["fgsm"] and means["mi"] > 0.3
    assert means["pgd"] == frame.info["mean_transfer"]


def test_cka_is_that_of_penultimate_features(frame: Frame, fleet: Fleet) -> None:
    x = fleet.data.x_test[fleet.order[:300]]
    a, b = (observe(each.model, x)[each.model.taps[-2].name] for each in (fleet.members[1], fleet.members[3]))
    assert frame.arrays["cka"][1, 3] == pytest.approx(cka(a, b))


def test_rsa_is_the_rank_correlation_of_centred_pair_correlations(frame: Frame, fleet: Fleet) -> None:
    x, reference = fleet.data.x_test[fleet.order[:300]], fleet.data.x_train[:500]
    upper = np.triu_indices(len(x), 1)
    seen = []
    for member in (fleet.members[0], fleet.members[2]):
        features, known = (observe(member.model, each)[member.model.taps[-2].name].double() for each in (x, reference))
        unit = torch.nn.functional.normalize(features - known.mean(0), dim=1)
        seen.append((unit @ unit.T).numpy()[upper])
    assert frame.arrays["rsa"][0, 2] == pytest.approx(spearmanr(*seen).statistic, abs=1e-9)


@pytest.mark.parametrize("name", ["cka", "rsa", "gradient_cosine"])
def test_statistics_are_those_of_the_matrices(frame: Frame, name: str) -> None:
    expected = spearmanr(off_diagonal(frame.arrays[name]), off_diagonal(frame.arrays["transfer"][0]))
    found, naive = statistic(frame, name), statistic(frame, f"{name} naive")
    assert found["rho"] == pytest.approx(expected.statistic) and naive["rho"] == pytest.approx(expected.statistic)
    assert (found["unit"], found["n"], found["wrong"]) == ("network", 4, "")
    assert (naive["unit"], naive["n"]) == ("pair", 12) and naive["p"] == pytest.approx(expected.pvalue)
    assert "Wrong" in naive["wrong"]


def test_each_similarity_is_tested_given_each_other_and_the_main_effects(frame: Frame) -> None:
    names = ("cka", "rsa", "gradient_cosine")
    first = [each for each in frame.info["statistics"] if ": " not in each["name"]]
    assert len(frame.info["statistics"]) == 4 * len(first)
    assert {f"mi: {each['name']}" for each in first} < {each["name"] for each in frame.info["statistics"]}
    assert statistic(frame, "mi: cka")["label"].endswith("(MI-FGSM)")
    given = {(each["name"].split(" ")[0], *each["given"]) for each in first}
    assert given == {
        *((a,) for a in names),
        *((a, "source", "target") for a in names),
        *((a, b) for a in names for b in names if a != b),
    }


def test_every_statistic_and_every_pair_is_a_row(first: tuple[list[Event], list[float]], frame: Frame) -> None:
    rows = [event for event in first[0] if isinstance(event, Record)]
    statistics = [event.row["statistic"] for event in rows if event.table == "transferability"]
    assert statistics == [each["name"] for each in frame.info["statistics"]]
    pairs = [event.row for event in rows if event.table == "transferability_pairs"]
    assert len(pairs) == 16
    row = next(each for each in pairs if (each["source"], each["target"]) == (3, 1))
    assert (
        row["transfer"] == frame.arrays["transfer"][0, 3, 1] and row["source_name"] == frame.info["networks"][3]["name"]
    )


def test_an_earlier_fleet_gives_the_same_numbers_bit_for_bit(
    first: tuple[list[Event], list[float]], frame: Frame
) -> None:
    (kept,) = [event for event in first[0] if isinstance(event, Artifact) and event.name == "fleet"]
    again = frames(run({"fleet": kept})[0])[-1]
    assert all(np.array_equal(frame.arrays[name], again.arrays[name]) for name in frame.arrays)
    assert frame.info == again.info


def test_it_breathes_often_enough_for_a_quick_cancel(first: tuple[list[Event], list[float]]) -> None:
    assert sorted(first[1])[-3] / pace.slowness() < 0.2, "the longest but two, for the sake of imports"


def test_identical_networks_are_alike_in_all_and_transfer_is_white_box_success(fleet: Fleet) -> None:
    bench = Bench(SMALL, {})
    bench.fleet = replace(fleet, members=(fleet.members[0],) * 4, right=fleet.right[[0] * 4])
    last = frames([event for event in transferability(bench, eps=0.5) if event is not None])[-1]
    for which, attack in enumerate(last.info["attacks"]):
        if attack["name"] != "noise":  # of which each network has its own
            assert np.ptp(last.arrays["transfer"][which]) == 0 and np.ptp(last.arrays["corrected"][which]) == 0
    assert last.info["mean_transfer"] == pytest.approx(last.info["white_box"]) and last.info["white_box"] > 0.3
    for name in ("cka", "rsa", "gradient_cosine"):
        assert np.allclose(last.arrays[name], 1)
    assert last.info["eps"] == 0.5
    assert statistic(last, "cka")["rho"] is None, "what never varies goes with nothing"


def test_a_twin_is_the_most_alike_and_takes_over_most(fleet: Fleet) -> None:
    bench = Bench(SMALL, {})
    members = (*fleet.members[:3], fleet.members[0])
    bench.fleet = replace(fleet, members=members, right=fleet.right[[0, 1, 2, 0]])
    last = frames([event for event in transferability(bench, eps=0.6) if event is not None])[-1]
    for name in ("transfer", "cka", "rsa", "gradient_cosine"):
        row = last.arrays[name][0, 0] if name == "transfer" else last.arrays[name][0]
        assert row[3] == pytest.approx(row[0]) and row[3] > max(row[1], row[2])


def test_a_perturbation_of_no_size_transfers_nowhere(fleet: Fleet) -> None:
    bench = Bench(SMALL, {})
    bench.fleet = fleet
    last = frames([event for event in transferability(bench, eps=0.0) if event is not None])[-1]
    assert last.info["white_box"] == last.info["mean_transfer"] == 0
    assert not last.arrays["transfer"].any() and last.arrays["corrected"] == pytest.approx(0)


def test_mantel_agrees_with_every_permutation_of_the_networks(frame: Frame) -> None:
    from engine.geometry.association import mantel

    similar, transfer = frame.arrays["cka"], frame.arrays["transfer"][0]
    off = ~np.eye(4, dtype=bool)
    rhos = [
        spearmanr(similar[np.ix_(order, order)][off], transfer[off]).statistic
        for order in map(list, permutations(range(4)))
    ]
    expected = np.mean(np.abs(rhos) >= abs(rhos[0]) - 1e-12)
    found = mantel(similar, transfer, seed=0, resamples=4000)
    assert found.rho == pytest.approx(rhos[0]) and found.p == pytest.approx(expected, abs=0.03)


def test_the_budget_may_be_set_and_the_norm_chosen(fleet: Fleet) -> None:
    settings = TransferSpec(norm="Linf", eps=0.08, steps=5, fgsm=False, vmi=True, mi=False)
    bench = Bench(SMALL.model_copy(update={"transfer": settings}), {})
    bench.fleet = fleet
    last = frames([event for event in transferability(bench) if event is not None])[-1]
    assert (last.info["norm"], last.info["eps"], last.info["eps_rule"]) == ("Linf", 0.08, "as set")
    assert [each["name"] for each in last.info["attacks"]] == ["pgd", "vmi", "noise"]


def test_a_norm_that_an_attack_does_not_know_is_said_before_anything_is_trained() -> None:
    bench = Bench(SMALL.model_copy(update={"transfer": TransferSpec(vmi=True)}), {})
    with pytest.raises(AttackError, match="L∞ alone"):
        next(transferability(bench))
    bench = Bench(SMALL.model_copy(update={"transfer": TransferSpec(pgd=False, fgsm=False, mi=False)}), {})
    with pytest.raises(AttackError, match="besides random noise"):
        next(transferability(bench))


def test_shares_of_nothing_have_no_value_and_errors_made_anyway_are_no_transfer() -> None:
    found = Transfers.none(TransferSpec(), 1.0, "as set", 40, 2)
    right = torch.arange(40) < 30
    both = torch.arange(40) < 20
    fooled = ~right | (torch.arange(40) < 5)
    found.note(0, 0, 1, fooled, right, both)
    assert found.transfer[0, 0, 1] == pytest.approx(5 / 20), "of those that both see rightly"
    assert found.corrected[0, 0, 1] == pytest.approx((15 / 40 - 10 / 40) / (30 / 40))
    found.note(0, 0, 0, torch.zeros(40, dtype=torch.bool), right, both)
    assert found.transfer[0, 0, 0] == 0 and found.corrected[0, 0, 0] < 0, "a target may see better after the attack"
    nothing = torch.zeros(40, dtype=torch.bool)
    found.note(0, 1, 0, ~nothing, nothing, nothing)
    assert np.isnan(found.transfer[0, 1, 0]) and np.isnan(found.corrected[0, 1, 0])
    few = torch.arange(40) < FEWEST_INPUTS - 1
    found.note(0, 1, 1, ~nothing, right, few)
    assert np.isnan(found.transfer[0, 1, 1]) and found.counted[1, 1] == FEWEST_INPUTS - 1
    arrays = found.arrays()
    assert arrays["transfer_low"][0, 0, 0] == 0 < arrays["transfer_high"][0, 0, 0] < 0.2
    assert np.isnan(arrays["transfer_low"][0, 1]).all()


def test_main_effects_are_the_means_of_rows_and_columns_without_the_diagonal() -> None:
    matrix = np.arange(16, dtype=float).reshape(4, 4)
    source, target = main_effects(matrix)
    assert source[1].tolist() == [pytest.approx((4 + 6 + 7) / 3)] * 4
    assert target[:, 2].tolist() == [pytest.approx((2 + 6 + 14) / 3)] * 4
