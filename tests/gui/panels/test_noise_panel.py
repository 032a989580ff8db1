"""Linear networks and noise: the claim, gradient descent and the controls, as frames come layer by layer."""

from __future__ import annotations

import math

import noise_frames as made
import numpy as np
import pytest
from conftest import unnamed
from person import TINY
from PySide6.QtCore import Qt

from engine.events import Frame
from engine.experiments import open_experiment
from engine.specs import ExperimentSpec, MaxLikelihoodSpec, UniformNoiseSpec
from gui.helptext import read_help
from gui.panels.noise.curves import figure
from gui.panels.noise.panel import CONTROLS, DESCENT, LIKELIHOOD, NoisePanel
from gui.panels.noise.room import columns_for
from gui.theme import Theme

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, selection, theme):
    built = NoisePanel(selection, theme)
    built.resize(640, 420)
    qtbot.addWidget(built)
    built.show()
    return built


@pytest.fixture
def full(panel):
    panel.show_frame(made.max_likelihood_frame())
    panel.show_frame(made.noise_descent_frame())
    panel.page.finish()
    panel.grab()
    return panel


def drawn(plot, key):
    """x and y of the points of a curve, log10 of the values on a logarithmic axis."""
    x, y = plot.drawn[key].line.getData()
    return np.asarray(x), np.asarray(y)


def row_of(panel):
    return [choice.accessibleName() for page in panel._pages.values() for choice in page.choices if choice.isVisible()]


# --- asking for it -----------------------------------------------------------------------------------------------


def test_before_anything_is_measured_it_offers_to_and_leads_to_its_settings(qtbot, panel):
    assert panel.is_empty and "reconstruction" in panel.tag.text()
    for button, asked in (
        (panel.button, panel.noise_requested),
        (panel.measure, panel.noise_requested),
        (panel.settings_button, panel.settings_requested),
        (panel.settings, panel.settings_requested),
    ):
        with qtbot.waitSignal(asked, timeout=1000):
            qtbot.mouseClick(button, LEFT)


def test_a_page_without_its_frame_says_so_and_offers_to_measure(qtbot, panel):
    panel.show_frame(made.max_likelihood_frame(3))
    qtbot.mouseClick(panel.page_choice.button(DESCENT), LEFT)
    assert panel.page_of(DESCENT).button.isVisible() and row_of(panel) == []
    with qtbot.waitSignal(panel.noise_requested, timeout=1000):
        qtbot.mouseClick(panel.page_of(DESCENT).button, LEFT)
    panel.show_frame(made.noise_descent_frame(4, done=False))
    assert panel.page_of(DESCENT).losses[0].isVisible() and "Quantity" in row_of(panel)


def test_whatever_shows_the_maxlikelihood_network_says_reconstruction(qtbot, full):
    for page in (LIKELIHOOD, CONTROLS):
        full.show_page(page)
        assert full.tag.isVisible() and full.page.caption.full_text.startswith("Reconstruction")
        assert "reconstruction" in full.subtitle
        assert all("reconstruction" in name for name, _ in full.plots())
    full.show_page(DESCENT)
    assert not full.tag.isVisible() and "no reconstruction" in full.page.caption.full_text


# --- the claim ---------------------------------------------------------------------------------------------------


def test_world_lines_start_at_0_stay_in_the_cone_and_half_of_the_centred_ones_go_to_the_antipode(qtbot, full):
    frame, page = made.max_likelihood_frame(), full.page_of(LIKELIHOOD)
    X = page.lines.positions("unseen")
    assert X.shape == (21, 64) and not X[0].any()
    assert X[-1] == pytest.approx(frame.arrays["unseen_C"][0, 1:].sum(0))
    assert (np.abs(X) <= np.arange(21)[:, None]).all()
    qtbot.mouseClick(page.series_choice.button("1"), LEFT)
    X = page.lines.positions("unseen")
    assert (X[-1] < 0).sum() == 32 and (page.lines.positions("train")[-1] < 0).sum() == 3
    assert page._titled.title.full_text.startswith("centred: world lines") and "50% of these" in page.caption.full_text


def test_of_many_layers_no_more_is_drawn_than_can_be_seen_and_nothing_is_lost(panel):
    lines = panel.page_of(LIKELIHOOD).lines
    lines.draw({"train": np.full((1001, 2), 0.5)}, 1000)
    x, y = lines._items["train"].getData()
    assert len(x) < 2 * 203 and np.nanmax(y) == 1000 and np.nanmax(x) == 500
    assert lines.positions("train").shape == (1001, 2)


def test_the_angle_that_is_left_can_be_seen_instead(qtbot, full):
    page = full.page_of(LIKELIHOOD)
    qtbot.mouseClick(page.diagram_choice.button("angle"), LEFT)
    at = page.lines.positions("unseen")
    assert at[0] == pytest.approx(np.degrees(np.arccos(made.max_likelihood_frame().arrays["unseen_C"][0, 0])))
    assert at[-1] == pytest.approx(0, abs=1e-5)
    assert not page.lines._cone.isVisible()


def test_loss_is_drawn_on_a_log_axis_with_its_band_and_the_end_of_float64(full):
    page, arrays = full.page_of(LIKELIHOOD), made.max_likelihood_frame().arrays
    for key in ("train", "unseen", "blind"):
        assert drawn(page.loss, key)[1] == pytest.approx(np.log10(arrays[f"{key}_loss"][0]))
        assert not page.loss.drawn[key].band.path().isEmpty()
    assert page._floor.line.isVisible()
    # C = tanh 35, and (1 - C)/2 = 1/(1 + e^70)
    assert page._floor.line.value() == pytest.approx(math.log10(1 / (1 + math.exp(70))), abs=1e-3)


def test_far_from_the_end_of_float64_its_line_does_not_take_the_room(panel):
    panel.show_frame(made.max_likelihood_frame(4))
    assert not panel.page_of(LIKELIHOOD)._floor.line.isVisible()


def test_an_interval_that_reaches_down_to_nothing_leaves_the_curves_their_room(panel):
    frame = made.max_likelihood_frame(5)
    frame.arrays["train_loss_low"][:] = 0.0
    panel.show_frame(frame)
    (_, _), (low, _) = panel.page_of(LIKELIHOOD).loss.getViewBox().viewRange()
    assert low > np.log10(np.nanmin(frame.arrays["unseen_loss"][0])) - 2


def test_the_boost_stands_beside_its_law_and_there_is_none_at_the_input(full):
    page = full.page_of(LIKELIHOOD)
    page.room.show_part("boost")
    x, y = drawn(page.boost, "boost")
    assert math.isnan(y[0]) and np.isfinite(y[1:]).all() and x[-1] == 20
    assert page._law.line.value() == made.LAW and page._law.line.isVisible()
    assert page.boost.describe(3).startswith("layer 3\nlaw 1.017, for 64 rows 1.033\nboost")


def test_the_controls_stand_beside_the_claim_with_their_numbers(full):
    said = full.page_of(LIKELIHOOD).strip.text
    for part in (
        "constant predictor: loss 0",
        "centred: loss 0.5",
        "random labels: accuracy 0.69–1.00, unseen 0.49–0.53",
        "effective rank 1.000",
        "3 targets: accuracy 0.670",
        "identity retrieved 0.420 by cosines, 1.000 by distances",
    ):
        assert part in said
    assert full.page_of(LIKELIHOOD).strip.isVisible()


def test_layers_come_one_by_one_and_what_is_not_measured_yet_says_so(panel):
    for layers in (0, 1, 7):
        panel.show_frame(made.max_likelihood_frame(layers))
        panel.grab()
        assert len(panel.page_of(LIKELIHOOD).lines.positions("train")) == layers + 1
    assert panel.subtitle.startswith("N/n = 64 · layer 7 of 20")
    assert (
        "random labels: accuracy …" in panel.page_of(LIKELIHOOD).strip.text
        and "3 targets: accuracy …" in panel.page_of(LIKELIHOOD).strip.text
    )
    home = panel.page_of(LIKELIHOOD).lines.getViewBox().viewRange()
    panel.show_frame(made.max_likelihood_frame(8))
    assert panel.page_of(LIKELIHOOD).lines.getViewBox().viewRange() == home, "the cone stands still while it fills"


def test_a_control_that_cannot_be_measured_is_undefined_and_nothing_breaks(qtbot, panel):
    frame = made.max_likelihood_frame()
    for values in frame.arrays.values():
        if values.ndim > 1:
            values[1] = np.nan
    frame.info.update(notes=["mean subtracted (control): not measured, since the training samples cancel."])
    panel.show_frame(frame)
    assert "centred: loss undefined" in panel.page_of(LIKELIHOOD).strip.text
    qtbot.mouseClick(panel.page_of(LIKELIHOOD).series_choice.button("1"), LEFT)
    panel.grab()
    assert "since the training samples cancel" in panel.page_of(LIKELIHOOD).caption.full_text
    assert "nan" not in panel.page_of(LIKELIHOOD).caption.full_text
    panel.show_page(CONTROLS)
    panel.grab()


def test_a_name_in_the_legend_takes_its_curve_away_everywhere(qtbot, full):
    page = full.page_of(LIKELIHOOD)
    qtbot.mouseClick(page.chips.chip("loss train"), LEFT)
    assert not page.loss.drawn["train"].line.isVisible() and page.loss.drawn["unseen"].line.isVisible()
    assert "training" not in page.loss.describe(3)
    full.show_frame(made.max_likelihood_frame())
    assert not page.loss.drawn["train"].line.isVisible()


# --- pointer and keys --------------------------------------------------------------------------------------------


def test_the_readout_says_every_curve_with_its_interval_by_pointer_and_by_keys(qtbot, full):
    plot = full.page_of(LIKELIHOOD).loss
    plot.hovered.emit(2.2, 0.0)
    assert plot.readout.text().splitlines()[0] == "layer 2" and "[" in plot.readout.text()
    plot.leave()
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.readout.text().startswith("layer 20")
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.readout.text().startswith("layer 19")
    assert "10⁻" in plot.readout.text()


def test_world_lines_are_walked_by_keys_from_sample_to_sample_and_from_layer_to_layer(qtbot, full):
    lines = full.page_of(LIKELIHOOD).lines
    lines.setFocus()
    qtbot.keyClick(lines, Qt.Key.Key_Up)
    assert lines.readout.text().startswith("training, sample 0\nlayer 1: C +0.9")
    qtbot.keyClick(lines, Qt.Key.Key_Right)
    assert lines.readout.text().startswith("training, sample 1\nlayer 1")
    lines.hovered.emit(float(lines.positions("unseen")[5, 3]), 5.0)
    assert "layer 5" in lines.readout.text()
    lines.hovered.emit(-15.0, 5.0)
    assert not lines.readout.isVisible()


def test_numbers_of_every_size_are_short():
    assert [figure(value) for value in (0.0, 0.5, 64.2, 7.34e-9, 9.96e-9, math.nan, -0.25)] == [
        "0",
        "0.500",
        "64.2",
        "7.3·10⁻⁹",
        "10⁻⁸",
        "undefined",
        "−0.250",
    ]


# --- gradient descent and controls -------------------------------------------------------------------------------


def test_gradient_descent_shows_the_target_beside_random_labels_on_one_scale(full):
    full.show_page(DESCENT)
    page = full.page_of(DESCENT)
    shared, random = page.losses
    assert shared.getViewBox().viewRange()[1] == random.getViewBox().viewRange()[1]
    assert drawn(random, "unseen")[1][-1] == pytest.approx(math.log10(0.5))
    assert drawn(page.accuracies[1], "train")[1][-1] == 1.0 and page._chance[1].line.value() == 0.5
    assert "random labels: accuracy 1.000, unseen 0.500" in page.strip.text
    assert "centred: loss 0.440" in page.strip.text
    assert page.losses[0].describe(0).startswith("step 0\n")


def test_what_only_the_trained_network_has_waits_for_it(full, qtbot):
    full.show_page(DESCENT)
    full.page_of(DESCENT).room.show_part("layers")
    assert full.page_of(DESCENT).lines.positions("unseen").shape == (5, 64)
    full.show_frame(made.noise_descent_frame(12, done=False))
    assert "once it is trained" in full.page_of(DESCENT)._lines_titled.title.full_text
    assert full.subtitle.startswith("gradient descent · step 186 of 1,000")
    full.show_frame(made.noise_descent_frame(flat=True))
    assert "as wide as the target" in full.page_of(DESCENT)._lines_titled.title.full_text


def test_a_task_that_has_not_begun_leaves_gaps(panel):
    frame = made.noise_descent_frame(5, done=False)
    for name, values in frame.arrays.items():
        if name != "step":
            values[1] = np.nan
    panel.show_frame(frame)
    panel.show_page(DESCENT)
    panel.grab()
    assert "random labels: accuracy …" in panel.page_of(DESCENT).strip.text
    assert np.isnan(drawn(panel.page_of(DESCENT).losses[1], "train")[1]).all()


def test_controls_constant_labels_rank_and_retrieval(qtbot, full):
    qtbot.mouseClick(full.page_choice.button(CONTROLS), LEFT)
    page = full.page_of(CONTROLS)
    low = page.constant.getViewBox().viewRange()[1][0]
    assert page._zero.line.isVisible() and low < page._zero.line.value() < drawn(page.constant, "0")[1].min()
    assert drawn(page.labels, "train")[1].tolist() == [1.0, 1.0, 0.98, 0.86, 0.69]
    assert page.labels.describe(3).splitlines() == [
        "128 samples",
        "random labels: training: 0.860 [0.789, 0.910]",
        "random labels: unseen: 0.530 [0.499, 0.561]",
    ]
    assert drawn(page.rank, "0")[1][-1] == pytest.approx(0.0, abs=1e-3), "log10 of 1"
    assert "3 targets: accuracy 0.670" in page._titled["rank"].title.full_text
    assert drawn(page.retrieval, "0")[1][-1] == pytest.approx(0.42)
    assert drawn(page.retrieval, "exact")[1].tolist() == [1.0] * 21
    qtbot.mouseClick(page.chips.chip("series 1"), LEFT)
    assert not page.rank.drawn["1"].line.isVisible() and page.labels.drawn["train"].line.isVisible()


# --- all of it ---------------------------------------------------------------------------------------------------


def test_with_room_all_plots_stand_together_else_one_is_chosen(qtbot, full):
    page = full.page_of(LIKELIHOOD)
    assert page.room.shown == ["lines", "loss"] and "Quantity" in row_of(full)
    qtbot.mouseClick(page.room.choice.button("rank"), LEFT)
    assert page.rank.isVisible() and not page.loss.isVisible()
    full.resize(1200, 800)
    qtbot.waitUntil(lambda: page.loss.isVisible() and page.rank.isVisible() and page.boost.isVisible())
    assert row_of(full) == ["Samples", "Diagram"]
    assert len(full.plots()) == 4
    full.show_page(CONTROLS)
    qtbot.waitUntil(lambda: len(full.page_of(CONTROLS).room.shown) == 4)


def test_in_a_narrow_panel_the_lines_are_one_of_the_plots_and_the_controls_one_line(qtbot, full):
    page = full.page_of(LIKELIHOOD)
    assert page.room.shown == ["lines", "loss"] and page.strip.isVisible()
    full.resize(287, 250)
    qtbot.waitUntil(lambda: page.room.shown == ["loss"] and page.brief.isVisible() and not page.strip.isVisible())
    assert "Diagram" not in row_of(full) and "constant predictor: loss 0" in page.brief.full_text
    qtbot.mouseClick(page.room.choice.button("lines"), LEFT)
    assert page.lines.isVisible() and "Diagram" in row_of(full) and full.tag.isVisible()
    full.resize(640, 420)
    qtbot.waitUntil(lambda: page.room.shown == ["lines", "loss"])


def test_how_many_columns_there_are_is_a_matter_of_shape():
    least = (190, 120)
    assert columns_for(3, 700, 130, least) == 3
    assert columns_for(3, 700, 600, least) == 2
    assert columns_for(3, 300, 600, least) == 1
    assert columns_for(3, 300, 200, least) == 0


def test_another_session_leaves_nothing_behind(full):
    full.clear()
    assert full.is_empty and full.subtitle == "" and full.plots() == () and list(full.csv_rows()) == []
    full.show_frame(made.noise_descent_frame())
    assert full.page_of(LIKELIHOOD).frame is None and not len(drawn(full.page_of(LIKELIHOOD).loss, "train")[0])
    full.grab()


@pytest.mark.parametrize("look", [Theme.dark(), Theme.light()])
def test_both_themes_draw_every_page(full, look):
    full.set_theme(look)
    for page in (LIKELIHOOD, DESCENT, CONTROLS):
        full.show_page(page)
        assert not full.grab().isNull()
        assert full.page.chips.entries()[0].colour == look.palette["purple" if page == CONTROLS else "blue"]


def test_every_control_has_a_name_and_the_help_says_which_is_which(full):
    assert unnamed(full) == []
    found = read_help(NoisePanel.key)
    assert found is not None and found.kinds == ("theorem", "measurement", "analogy")
    assert "econstruction" in found.body and "M₂" in found.body


def test_what_was_pointed_at_in_a_larger_run_is_let_go_where_the_next_has_less(qtbot, full):
    lines = full.page_of(LIKELIHOOD).lines
    for _ in range(20):
        qtbot.keyClick(lines, Qt.Key.Key_Right)
    assert lines.readout.isVisible() and "sample 19" in lines.readout.text()
    fewer = made.max_likelihood_frame(3)
    for name in ("train_C", "unseen_C"):
        fewer.arrays[name] = fewer.arrays[name][..., :5]
    full.show_frame(fewer)
    assert not lines.readout.isVisible() and not len(lines._halo.getData()[0])


def test_sizes_pointed_at_are_let_go_while_the_next_run_has_none_yet(qtbot, full):
    full.show_page(CONTROLS)
    full.resize(1000, 700)
    full.grab()
    labels = full.page_of(CONTROLS).labels
    qtbot.keyClick(labels, Qt.Key.Key_Right)
    assert labels.readout.isVisible() and "256 samples" in labels.readout.text()
    assert "random labels: unseen: 0.500 [0.469, 0.531]" in labels.readout.text(), "1000 unseen samples"
    full.show_frame(made.max_likelihood_frame(3))
    assert not labels.readout.isVisible()


def test_what_was_made_with_other_settings_says_which(full):
    full.set_experiment(made.SPEC)
    assert not full.other.isVisible()
    for change, says in (({"depth": 40}, "depth 20 → 40"), ({"samples": 16}, "samples, data or seed")):
        spec = MaxLikelihoodSpec(**change)
        full.set_experiment(made.SPEC.model_copy(update={"max_likelihood": spec}))
        assert full.other.isVisible() and says in full.other.accessibleDescription()
    full.show_page(DESCENT)
    assert full.other.isVisible()
    full.clear()
    full.set_experiment(made.SPEC)
    assert not full.other.isVisible()


SMALL = {
    "dataset": UniformNoiseSpec(features=16, train_size=64, test_size=64),
    "max_likelihood": MaxLikelihoodSpec(
        candidates=128, rows=16, depth=4, samples=16, unseen=60, descent_depth=2, descent_steps=20
    ),
}


def test_in_the_window_it_is_asked_for_drawn_set_and_gone_with_another_session(open_lab):
    person = open_lab(spec=TINY.model_copy(update=SMALL))
    window = person.window
    panel = window.docks.noise
    window.docks.show_panel("noise")
    person.click(panel.settings)
    assert window.rail.current == "entangle" and person.form("max_likelihood").isVisible()
    person.type("max_likelihood", "depth", "3")
    person.click(panel.button)
    person.wait_for_job()
    assert person.notices() == []
    window.rotation.draw_all()
    assert panel.page_of(LIKELIHOOD).lines.positions("unseen").shape[0] == 4
    assert window.rail.is_done("data") and not window.rail.is_done("model")
    person.press("Ctrl+N")
    person.wait(lambda: panel.is_empty)
    assert panel.plots() == ()


def test_a_real_tiny_run_is_drawn_as_it_comes(panel):
    spec = ExperimentSpec(**SMALL)
    kept: dict[str, Frame] = {}
    for event in open_experiment("max_likelihood", spec, {}):
        if isinstance(event, Frame) and event.topic in panel.topics:
            panel.show_frame(event)
            kept[event.topic] = event
    for page in (DESCENT, CONTROLS, LIKELIHOOD):
        panel.show_page(page)
        panel.grab()
    assert set(kept) == set(panel.topics) and all(frame.info["done"] for frame in kept.values())
    assert panel.page_of(LIKELIHOOD).lines.positions("unseen").shape[0] == 5
    assert "…" not in panel.page_of(LIKELIHOOD).strip.text
