"""Complexity: the law of linear networks on networks drawn anew, the architecture at initialisation, and the fleet."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from engine.events import Frame
from engine.experiments import EXPERIMENTS
from engine.experiments.claims import CLAIMS, verdict
from engine.experiments.complexity import look, untrained
from engine.experiments.complexity.columns import COLUMNS
from engine.experiments.complexity.law import TIMES, WIDTHS, Cell, checked_law, drawn, largest
from engine.experiments.complexity.look import attack_of
from engine.experiments.complexity.relations import TESTS, holm, name
from engine.generators import drain
from engine.geometry import readings
from engine.geometry.association import spearman
from engine.geometry.nulls.gaussian_chain import gap, gaussian_chain
from engine.seeds import derive
from engine.specs import (
    ControlsSpec,
    DdnSpec,
    ExperimentSpec,
    HardeningSpec,
    LinearSpec,
    MlpSpec,
    PgdSpec,
    TrainingSpec,
)
from tests.engine.experiments.looking import last, looked, rows
from tests.small_data import images

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "b1_width_depth_sweep.json").read_text())[
    "width_depth_sweep"
]
CLAIM = next(claim for claim in CLAIMS if claim.key == "relativity")


# --- the law -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"n={row['n']}-L={row['L']}")
def test_the_law_is_that_of_the_golden_sweep(row) -> None:
    assert row["L"] * float(gap(row["n"])) == pytest.approx(row["pred"], rel=1e-9)
    assert row["L"] / (row["n"] - 1.5) == pytest.approx(row["s"])
    # the golden networks were drawn elsewhere: each cell lies within chance of the law
    assert abs(row["z"]) < 3


def test_a_cell_agrees_with_the_law_and_with_the_golden_cell() -> None:
    golden = next(row for row in GOLDEN if (row["n"], row["L"]) == (16, 16))
    eta = drain(drawn(16, 16, 2000, 3))
    values, size = readings.ln_gamma(eta), np.abs(eta)
    error = values.std(ddof=1) / math.sqrt(len(eta))
    assert abs(values.mean() - golden["pred"]) < 3.5 * error
    assert abs(size.mean() - golden["E_abs_eta"]) < 5 * size.std() / math.sqrt(len(eta))
    assert abs(values.mean() - golden["E_lngamma"]) < 5 * error


def test_another_law_would_be_seen() -> None:
    """The check has power: a gap ten percent larger lies far outside."""
    eta = drain(drawn(8, 32, 4000, 1))
    values = readings.ln_gamma(eta)
    error = values.std(ddof=1) / math.sqrt(len(eta))
    law = 32 * float(gap(8))
    assert abs(values.mean() - law) / error < 3.5 < abs(values.mean() - 1.1 * law) / error


def test_cells_stand_over_every_width_and_depth_and_collapse_onto_proper_depth() -> None:
    work, cells = checked_law(0, (6, 24), (1, 2), 30), []
    while True:
        try:
            found = next(work)
        except StopIteration as end:
            kept, most = end.value
            break
        if isinstance(found, Cell):
            cells.append(found)
    assert [(cell.width, cell.depth) for cell in cells] == [(6, 6), (6, 12), (24, 24), (24, 48)]
    assert kept == cells and most.cells == 4 and most.z == max(abs(cell.z) for cell in cells)
    for cell in cells:
        assert cell.size_law == pytest.approx(gaussian_chain([0.0], [cell.width] * cell.depth).size[0, -1])
        # of order 1/n^2: a third of a percent at most at n = 24, whose own curve it is
        assert abs(cell.collapse) < (0.05 if cell.width == 6 else 1e-12)
    assert all(json.dumps(cell.told()) for cell in cells)


def test_widths_collapse_the_better_the_wider() -> None:
    """E |eta| at proper depth near 1 differs from that of the widest by some 1/n^2."""
    curve = gaussian_chain([0.0], [96] * 130).size[0]
    s = np.arange(131) / 94.5
    off = []
    for n in (8, 16, 32):
        depth = round(n - 1.5)
        exact = float(gaussian_chain([0.0], [n] * depth).size[0, -1])
        off.append(abs(exact - float(np.interp(depth / (n - 1.5), s, curve))))
    assert off[0] > 3 * off[1] > 9 * off[2] and off[1] < 1.5e-3


def test_the_largest_z_has_the_distribution_of_independent_cells() -> None:
    rng = np.random.default_rng(0)
    z = np.abs(rng.standard_normal((20_000, 16))).max(1)
    known = largest(rng.standard_normal(16), 10_000)
    assert (z > known.critical).mean() == pytest.approx(0.05, abs=0.006)
    one = largest([2.5, *[0.1] * 15], 10_000)
    assert one.p == pytest.approx((z > 2.5).mean(), abs=0.015)
    assert len(WIDTHS) * len(TIMES) == 16


# --- the architecture before training ----------------------------------------------------------------------------------


def test_linear_networks_before_training_lie_at_the_exact_law(monkeypatch) -> None:
    monkeypatch.setattr(untrained, "WIDTHS", (6, 12))
    monkeypatch.setattr(untrained, "DEPTHS", (1, 3))
    data = images(10)
    cells = drain(untrained.untrained(LinearSpec(), data, data.x_test, data.y_test, 25, 0))
    assert [(cell.width, cell.depth) for cell in cells] == [(6, 1), (6, 3), (12, 1), (12, 3)]
    for cell in cells:
        assert cell.kind == "exact" and cell.law == pytest.approx(cell.depth * float(gap(cell.width)))
        assert abs(cell.z) < 3.5


def test_relu_networks_come_to_the_wide_limit_from_above_as_they_widen(monkeypatch) -> None:
    monkeypatch.setattr(untrained, "WIDTHS", (12, 48, 192))
    monkeypatch.setattr(untrained, "DEPTHS", (4,))
    data = images(10)
    cells = drain(untrained.untrained(MlpSpec(), data, data.x_test, data.y_test, 30, 0))
    above = [cell.change - cell.law for cell in cells]
    assert {cell.kind for cell in cells} == {"infinite width"}
    assert above[0] > 2 * above[1] > 0 and abs(above[2]) < 4 * cells[2].error + 4 * 1.2 / 192


# --- tests over networks -----------------------------------------------------------------------------------------------


def test_holm_is_that_of_its_definition() -> None:
    assert holm([0.04, 0.001, math.nan, 0.02]) == pytest.approx([0.04, 0.003, math.nan, 0.04], nan_ok=True)
    assert holm([0.9, 0.8]) == [1.0, 1.0]


SMALL = ExperimentSpec(
    model=MlpSpec(width=16, depth=2),
    training=TrainingSpec(epochs=1),
    attack=PgdSpec(norm="L2", eps=0.5),
    controls=ControlsSpec(networks=4, draws=2, permutations=100),
)


@pytest.fixture(scope="module")
def events():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "NETWORKS", 8)
        patch.setattr(look, "PROBED", 16)
        patch.setattr(look, "ATTACKED", 20)
        patch.setattr(untrained, "WIDTHS", (8,))
        patch.setattr(untrained, "DEPTHS", (1,))
        small = checked_law
        patch.setattr(look, "checked_law", lambda seed: small(seed, (4, 6), (1,), 8))
        yield looked("complexity", SMALL)


def test_the_frame_has_one_row_a_network_and_says_what_each_column_is(events) -> None:
    frame = last(events, "complexity")
    named = [column["name"] for column in frame.info["columns"]]
    assert all(frame.arrays[column].shape == (4,) for column in frame.arrays)
    assert set(named) <= set(frame.arrays) == {column.name for column in COLUMNS}
    assert "proper_depth" not in named and all(column["label"] for column in frame.info["columns"])
    assert len(frame.info["networks"]) == 4 and frame.info["done"] and frame.keep
    json.dumps(frame.info, allow_nan=False)
    for text in ("theorem", "ε = 0.5", "L2", "analogy", "16 test samples"):
        assert text in frame.info["says"]
    partial = next(event for event in events if isinstance(event, Frame) and event.topic == "complexity")
    assert not partial.info["done"] and not partial.keep and len(partial.arrays["width"]) == 1


def test_what_training_adds_is_the_same_networks_own_difference(events) -> None:
    arrays = last(events, "complexity").arrays
    assert arrays["added"] == pytest.approx(arrays["change"] - arrays["initial_change"])
    assert (arrays["added"] != 0).all()
    assert arrays["change"] == pytest.approx(arrays["ln_gamma"] - arrays["input_ln_gamma"])
    assert (arrays["robust_accuracy"] <= arrays["robust_high"]).all()
    assert (arrays["test_low"] <= arrays["test_accuracy"]).all()


def test_every_test_is_spearmans_over_networks_with_holm_over_all(events) -> None:
    frame = last(events, "complexity")
    found = {each["name"]: each for each in frame.info["statistics"]}
    wanted = [name(*test) for test in TESTS if "proper_depth" not in test]
    assert list(found) == wanted
    plain = found["test_accuracy ~ width"]
    again = spearman(
        frame.arrays["width"],
        frame.arrays["test_accuracy"],
        seed=derive(SMALL.seed, "complexity", "test_accuracy ~ width"),
        resamples=100,
    )
    assert (plain["rho"], plain["p"], plain["n"]) == (again.rho, again.p, 4)
    assert all(each["holm"] is None or each["holm"] >= each["p"] for each in found.values())
    assert len(rows(events, "complexity_tests")) == len(wanted)
    assert [len(rows(events, table)) for table in ("complexity", "complexity_laws", "complexity_untrained")] == [
        4,
        2,
        1,
    ]


def test_the_attack_is_pgd_at_the_experiments_own_budget() -> None:
    assert (attack_of(SMALL).norm, attack_of(SMALL).eps, attack_of(SMALL).goal) == ("L2", 0.5, "untargeted")
    minimal = SMALL.model_copy(update={"attack": DdnSpec(), "hardening": HardeningSpec(eps=0.2)})
    assert (attack_of(minimal).norm, attack_of(minimal).eps) == ("Linf", 0.2)


# --- the claim ---------------------------------------------------------------------------------------------------------

NAMES = (
    "change ~ parameters",
    "change ~ depth",
    "change ~ parameters | depth",
    "added ~ parameters",
    "added ~ depth",
)
SURE, AGAINST, CHANCE = (0.8, 0.001, 0.5, 0.9), (-0.8, 0.001, -0.9, -0.5), (0.1, 0.6, -0.3, 0.5)


def frame(*found, networks=24, p=0.8, more=None, n=None):
    told = dict(zip(NAMES, found, strict=True)) | (more or {})
    statistics = [
        {"name": key, "label": key, "n": n, **dict(zip(("rho", "p", "low", "high"), values, strict=True))}
        for key, values in told.items()
    ]
    law = {"largest": {"z": 1.4, "p": p, "cells": 16, "critical": 3.0}}
    info = {"statistics": statistics, "networks": [{}] * networks, "law": law, "done": True}
    return {"complexity": Frame("complexity", "measure", 0, {}, info)}


@pytest.mark.parametrize(
    ("frames", "word", "said"),
    [
        (frame(SURE, SURE, SURE, SURE, SURE), "holds in part", "also given depth"),
        # the claim is of contraction: that wide networks contract less is the law of width, and no support
        (
            frame(AGAINST, AGAINST, AGAINST, AGAINST, AGAINST),
            "not supported",
            "falling where the claim would have it rise",
        ),
        (frame(AGAINST, SURE, SURE, AGAINST, SURE), "holds in part", "rise: change ~ parameters; added ~ parameters."),
        (frame(CHANCE, SURE, AGAINST, SURE, SURE), "not supported", "beyond what depth alone does"),
        (frame(SURE, SURE, SURE, AGAINST, CHANCE), "not supported", "before training"),
        (frame(CHANCE, CHANCE, SURE, SURE, SURE), "not supported", "does not rise with parameters or depth"),
        (frame(SURE, SURE, CHANCE, SURE, CHANCE), "not supported", "beyond what depth alone does"),
        (frame(SURE, SURE, SURE, CHANCE, CHANCE), "not supported", "before training"),
        (frame(CHANCE, SURE, CHANCE, CHANCE, CHANCE), "not supported", "nor beyond what the same networks"),
        # five tests: the least p must be below 0.01
        (frame(*[(0.8, 0.02, 0.5, 0.9)] * 5), "not supported", "does not rise with parameters or depth"),
        (frame(*[(0.8, 0.001, -0.1, 0.9)] * 5), "not supported", "does not rise with parameters or depth"),
        (frame(SURE, SURE, SURE, SURE, SURE, networks=11), "undecided", "too few"),
        # networks whose features are dead have no boost
        (frame(SURE, SURE, SURE, SURE, SURE, n=7), "undecided", "7 networks are too few"),
        (frame(SURE, SURE, SURE, SURE, SURE, p=1e-6), "undecided", "theorem"),
        (frame(SURE, SURE, SURE, SURE, SURE, p=None), "undecided", "could not be measured"),
        (frame(SURE, SURE, (None,) * 4, SURE, SURE), "undecided", "could not be measured"),
    ],
)
def test_the_claim_on_relativity_needs_more_than_depth_and_initialisation(frames, word, said) -> None:
    found = verdict(CLAIM, frames)
    assert (found.word, said in found.sentence) == (word, True), found.sentence
    if word != "undecided":
        assert "theorems" in found.sentence and "no clock runs" in found.sentence
        assert "before training" in found.control and "Holm" in found.control


def test_the_claim_never_holds_outright_and_tells_the_control() -> None:
    control = {"initial_change ~ depth": SURE, "initial_change ~ parameters": CHANCE}
    found = verdict(CLAIM, frame(*[SURE] * 5, more=control))
    assert found.word == "holds in part"
    assert any("initial_change ~ depth" in number.label for number in found.numbers)
    assert found.numbers[0].value == 1.4 and "p = 0.8" in found.numbers[0].label
    assert set(CLAIM.tested_by) <= set(EXPERIMENTS)


def test_a_run_is_judged_by_the_rule(events) -> None:
    found = verdict(CLAIM, {"complexity": last(events, "complexity")})
    assert found.word == "undecided" and "too few" in found.sentence
