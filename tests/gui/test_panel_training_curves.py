"""Training curves: axes, cursor, readout, and a million steps."""

from __future__ import annotations

import frames
import numpy as np
import pytest
from conftest import unnamed
from PySide6.QtCore import Qt

from engine.session.table import Table
from gui.panels.training_curves import TrainingPanel


@pytest.fixture
def panel(qtbot, selection, theme):
    made = TrainingPanel(selection, theme)
    made.resize(530, 380)
    qtbot.addWidget(made)
    made.show()
    return made


def full(panel):
    panel.show_records("steps", frames.steps_table())
    panel.show_records("epochs", frames.epochs_table())
    return panel


def test_it_is_empty_until_there_are_steps(panel):
    panel.show_records("steps", Table())
    panel.show_records("epochs", Table())
    assert panel.is_empty
    full(panel)
    assert not panel.is_empty
    panel.clear()
    assert panel.is_empty
    assert list(panel.csv_rows()) == []


def test_the_subtitle_says_where_training_is(panel):
    full(panel)
    assert panel.subtitle.startswith("step 200 · loss ")
    assert panel.subtitle.endswith("test accuracy 80.00%")


def test_a_steep_loss_takes_a_logarithmic_axis_and_a_flat_one_does_not(panel):
    full(panel)
    assert panel.is_log
    panel.clear()
    table = Table({"step": k + 1, "epoch": 0, "loss": 2 + 0.001 * k, "accuracy": 0.1} for k in range(100))
    panel.show_records("steps", table)
    assert not panel.is_log


def test_a_person_chooses_the_axis(qtbot, panel):
    full(panel)
    qtbot.mouseClick(panel.chips.chip("log"), Qt.MouseButton.LeftButton)
    assert not panel.is_log
    assert panel.loss_plot.getViewBox().viewRange()[1][1] > 1.5


def test_the_cursor_stands_at_the_step_of_training_and_nowhere_else(panel):
    full(panel)
    panel.set_moment("train", 120)
    assert all(cursor.isVisible() and cursor.value() == 120 for cursor in panel._cursors)
    panel.set_moment("attack", 3)
    assert not any(cursor.isVisible() for cursor in panel._cursors)
    panel.set_moment("train", None)
    assert not any(cursor.isVisible() for cursor in panel._cursors)


def test_both_plots_share_their_steps(panel):
    full(panel)
    panel.loss_plot.getViewBox().setXRange(20, 50, padding=0)
    assert panel.accuracy_plot.getViewBox().viewRange()[0] == pytest.approx([20, 50])


def test_zooming_keeps_the_view_while_training_goes_on_and_0_goes_home(qtbot, panel):
    full(panel)
    panel.loss_plot.setFocus()
    qtbot.keyClick(panel.loss_plot, Qt.Key.Key_Plus)
    zoomed = panel.loss_plot.getViewBox().viewRange()
    panel.show_records("steps", frames.steps_table(400))
    assert panel.loss_plot.getViewBox().viewRange() == zoomed
    qtbot.keyClick(panel.loss_plot, Qt.Key.Key_0)
    assert not panel.loss_plot.zoomed
    assert panel.loss_plot.getViewBox().viewRange()[0][1] >= 400
    assert panel.accuracy_plot.getViewBox().viewRange()[0][1] >= 400


def test_hover_says_the_recorded_numbers(panel):
    full(panel)
    table = frames.steps_table()
    panel._on_hover_loss(149.8, 0.0)
    said = panel.loss_plot.readout.text()
    assert "step 150" in said
    assert f"loss {table.column('loss')[149]:.4g}" in said
    assert "after epoch 1: test loss 0.6, accuracy 75.00%" in said
    panel.loss_plot.leave()
    assert not panel.loss_plot.readout.isVisible()


def test_arrow_keys_move_the_readout_and_return_goes_to_the_step(qtbot, panel):
    full(panel)
    asked = []
    panel.step_requested.connect(asked.append)
    panel.loss_plot.setFocus()
    qtbot.keyClick(panel.loss_plot, Qt.Key.Key_Left)
    assert "step 199" in panel.loss_plot.readout.text()
    qtbot.keyClick(panel.loss_plot, Qt.Key.Key_Return)
    assert asked == [199]


def test_csv_holds_every_step_with_the_test_numbers_at_the_ends_of_epochs(panel):
    full(panel)
    table = frames.steps_table()
    head, *rows = panel.csv_rows()
    assert head[0] == "step"
    assert [row[1] for row in rows] == table.column("loss").tolist()
    assert rows[99][head.index("test_accuracy")] == 0.75
    assert rows[98][head.index("test_accuracy")] == ""


def test_the_slider_may_take_rows_away_again(panel):
    full(panel)
    panel.show_records("steps", frames.steps_table(50))
    assert len(list(panel.csv_rows())) == 51
    panel.show_records("epochs", Table())
    assert "test accuracy" not in panel.subtitle


def test_infinite_and_missing_losses_do_no_harm(panel):
    losses = [1.0, 0.0, float("nan"), float("inf"), 0.5] * 10
    panel.show_records(
        "steps", Table({"step": k, "epoch": 0, "loss": v, "accuracy": 0.5} for k, v in enumerate(losses))
    )
    panel.grab()
    panel._on_chip("log", True)
    panel.grab()
    assert panel.is_log


class Million:
    """What a table of a million rows gives."""

    def __init__(self, n: int) -> None:
        rng = np.random.default_rng(0)
        self.n = n
        self._columns = {
            "step": np.arange(1, n + 1, dtype=float),
            "loss": rng.uniform(0.5, 1.5, n) * np.exp(-3 * np.arange(n) / n),
            "accuracy": rng.uniform(0.8, 1.0, n),
        }

    def __len__(self) -> int:
        return self.n

    def column(self, name: str) -> np.ndarray:
        return self._columns[name][: self.n]


def test_a_million_steps_are_drawn_with_few_points_that_keep_the_extremes(panel):
    table = Million(1_000_000)
    panel.show_records("steps", table)
    x, y = panel._raw.getData()
    assert len(x) < 5000
    assert 10 ** np.nanmin(y) == pytest.approx(table.column("loss").min())
    assert 10 ** np.nanmax(y) == pytest.approx(table.column("loss").max())


def test_chips_hide_curves(qtbot, panel):
    full(panel)
    qtbot.mouseClick(panel.chips.chip("test"), Qt.MouseButton.LeftButton)
    assert not panel._test_loss.isVisible()
    assert not panel._test.isVisible()
    assert panel._train.isVisible()


def test_everything_has_a_name_and_the_theme_changes_live(panel, theme):
    full(panel)
    assert unnamed(panel) == []
    other = type(theme).light() if theme.is_dark else type(theme).dark()
    panel.set_theme(other)
    panel.grab()
    assert panel._smooth.opts["pen"].color().name() == other.accent
    assert panel.loss_plot.backgroundBrush().color().name() == other.surface


def robust_epochs():
    rows = [frames.epochs_table().row(k) for k in (0, 1)]
    rows.insert(1, {**rows[0], "epoch": 1.5, "step": 150})  # robust accuracy was not measured there
    for row, share in ((rows[0], 0.6), (rows[2], 0.05)):
        row |= {"robust_accuracy": share, "robust_low": share - 0.05, "robust_high": share + 0.05}
    return Table(rows)


def checks(*collapsed, restored=None):
    return Table(
        {
            "step": 50 * (k + 1), "epoch": 1, "single_step": 0.9, "pgd": 0.04 if fallen else 0.6, "collapsed": fallen,
            "restored": restored if fallen else None,
        }
        for k, fallen in enumerate(collapsed)
    )  # fmt: skip


def test_robust_accuracy_is_drawn_beside_test_accuracy_where_it_was_measured(qtbot, panel):
    full(panel)
    with pytest.raises(KeyError):
        panel.chips.chip("robust")
    panel.show_records("epochs", robust_epochs())
    x, y = panel._robust_curve.line.getData()
    assert x.tolist() == [100, 200]
    assert y.tolist() == [0.6, 0.05]
    assert panel.accuracy_plot.getViewBox().viewRange()[1][0] <= 0.0  # a fall is not below the plot
    assert "robust accuracy to PGD 60.0% [55.0%, 65.0%]" in panel.describe(120)
    assert "robust 5.0%" in panel.subtitle
    assert next(iter(panel.csv_rows()))[-1] == "robust_high"
    qtbot.mouseClick(panel.chips.chip("robust"), Qt.MouseButton.LeftButton)
    assert not panel._robust_curve.line.isVisible()


def test_catastrophic_overfitting_is_marked_and_said_once(panel):
    full(panel)
    said = []
    panel.noted.connect(said.append)
    panel.show_records("overfitting", checks(0))
    assert not panel._collapse.isVisible()
    panel.show_records("overfitting", checks(0, 1, restored=50))
    panel.show_records("overfitting", checks(0, 1, 1, restored=50))
    assert panel._collapse.isVisible()
    assert panel._collapse.value() == 100
    assert said == [panel.collapse()]
    assert "90% withstand the single step, 4% PGD" in said[0]
    assert said[0].endswith("the network of step 50 put back.")
    assert "catastrophic overfitting" in panel.describe(150)
    assert "catastrophic overfitting" not in panel.describe(20)


def test_an_old_training_that_overfitted_is_shown_but_not_announced(panel):
    said = []
    panel.noted.connect(said.append)
    full(panel)
    panel.show_records("overfitting", checks(0, 1))
    assert panel._collapse.isVisible()
    assert said == []
    panel.clear()
    assert not panel._collapse.isVisible()
