"""One page that says what a sweep varied, what came of its points, and how one quantity goes with another."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from engine.errors import ReportError
from engine.experiments.complexity.relations import holm
from engine.report.canvas import in_style
from engine.report.html import STYLE, write_drawn
from engine.report.sweeps.figures import FIGURES, PERMUTATIONS, pairs
from engine.report.sweeps.points import export_points
from engine.report.sweeps.summary import Cell, cells, law_fields, network_numbers
from engine.spec_files import dump_spec
from engine.specs import SweepSpec
from engine.sweep.axes import axis_text
from engine.sweep.columns import BY_NAME, Column
from engine.sweep.curves import distinct
from engine.sweep.networks import one_each
from engine.sweep.statistics import Relation, relate
from engine.sweep.store import PointRow, SweepStore

ROWS = 1000
"""Points that the page shows; the CSV has all."""
REASONS = 50
GIVEN = ("test_accuracy", "depth")
"""What may make two quantities go together without either making the other."""
NONE = Relation(math.nan, math.nan, math.nan, math.nan, 0)
MODES = {"grid": "every combination", "random": "drawn at random"}
REACHES = {"initial": "built", "trained": "built and trained", "attacked": "built, trained and attacked"}


def write_sweep_report(store: SweepStore, folder: Path) -> Path:
    """Write ``report.html``, ``figures/*.svg`` and ``*.png``, and ``tables/points.csv`` to ``folder``; returns the page.

    Raises ReportError where a file cannot be written.
    """
    try:
        (folder / "tables").mkdir(parents=True, exist_ok=True)
        with in_style():
            drawn = write_drawn(folder / "figures", ((name, draw(store)) for name, (_, _, draw) in FIGURES.items()))
        export_points(store, folder / "tables")
        page = folder / "report.html"
        page.write_text(_page(store, drawn), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {folder}: {error.strerror}. Choose another folder."
        ) from error
    return page


def _page(store: SweepStore, drawn: dict[str, str]) -> str:
    now = datetime.now().astimezone().strftime("%d %B %Y, %H:%M")
    title = html.escape(store.spec.title)
    parts = [
        f"<h1>{title}</h1><p class=quiet>Rapidity Lab, {now}. A sweep of {len(store.points):,} points.</p>",
        _axes(store),
        _counts(store),
        _failed(store),
        *(
            f"<h2>{FIGURES[name][0]}</h2><figure>{svg}<figcaption>{FIGURES[name][1]}</figcaption></figure>"
            for name, svg in drawn.items()
        ),
        _relations(store),
        _law(store),
        _points(store),
        _settings(store),
    ]
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>{''.join(parts)}</html>\n"


def _axes(store: SweepStore) -> str:
    spec = store.spec.sweep
    rows = "".join(f"<tr><td>{html.escape(axis.field)}<td>{html.escape(axis_text(axis))}" for axis in spec.axes)
    what = f"Points: {MODES[spec.mode]}; each is {REACHES[spec.reach]}."
    return f"<h2>What was varied</h2><p>{what}</p><table><tr><th>field<th>values{rows}</table>"


def _counts(store: SweepStore) -> str:
    rows = "".join(f"<tr><td>{status}<td class=n>{count:,}" for status, count in store.counts().items() if count)
    return f"<h2>Points</h2><table>{rows}</table>"


def _failed(store: SweepStore) -> str:
    """Failed points by their reason."""
    reasons: dict[str, list[int]] = {}
    for point in store.page(0, len(store.points), status="failed"):
        reasons.setdefault(point.error, []).append(point.id)
    if not reasons:
        return ""
    rows = "".join(
        f"<tr><td>{html.escape(_some(ids))}<td class=n>{len(ids):,}<td>{html.escape(reason)}"
        for reason, ids in list(reasons.items())[:REASONS]
    )
    return f"<h2>Failed points</h2><table><tr><th>points<th>number<th>reason{rows}</table>"


def _some(ids: list[int]) -> str:
    return ", ".join(map(str, ids[:10])) + (f" and {len(ids) - 10:,} more" if len(ids) > 10 else "")


def _relations(store: SweepStore) -> str:
    """Rank correlations over networks; beside each, with what accuracy and depth explain taken away."""
    chosen = pairs(store)
    if not chosen:
        return ""
    columns = store.column(*GIVEN, *{name for pair in chosen for name in pair}, *store.points.fields)
    known = [name for name in GIVEN if distinct(columns[name]) > 1]
    given = [[name for name in known if name not in pair] for pair in chosen]
    bare, partial = [], []
    for pair, names in zip(chosen, given, strict=True):
        networks = one_each(columns, network_numbers(store, columns, *pair))
        bare.append(relate(networks, *pair, permutations=PERMUTATIONS))
        partial.append(relate(networks, *pair, names, PERMUTATIONS) if names else NONE)
    adjusted = iter(holm([each.p for pair in zip(bare, partial, strict=True) for each in pair]))
    rows = ""
    for (x, y), names, *found in zip(chosen, given, bare, partial, strict=True):
        label = html.escape(f"{BY_NAME[y].label} with {BY_NAME[x].label}")
        rows += f"<tr><td>{label}{_relation(found[0], next(adjusted))}<td class=n>{found[0].n:,}{_relation(found[1], next(adjusted))}"
        rows += f"<td>{html.escape(' and '.join(BY_NAME[name].label.lower() for name in names))}"
    return (
        "<h2>Relations over networks</h2><p>Spearman's ρ with 95% bootstrap intervals over networks, p by permutation of networks; of a network that "
        "was attacked or measured in several ways the means are taken, and networks that only their training tells apart are one where both quantities are known "
        "before it. Right, with what the ranks of the columns named explain taken away from both. Of many p some are small by chance: Holm's is the chance of "
        "any false find in this table.</p>"
        "<table><tr><th>what<th>ρ<th>p<th>Holm<th>networks<th>ρ given<th>p<th>Holm<th>given"
        f"{rows}</table>"
    )


def _relation(found: Relation, adjusted: float) -> str:
    if not math.isfinite(found.rho):
        return "<td class=n>–" * 3
    interval = f" [{found.low:+.2f}, {found.high:+.2f}]" if math.isfinite(found.low + found.high) else ""
    return f"<td class=n>{found.rho:+.2f}{interval}<td class=n>{found.p:.2g}<td class=n>{adjusted:.2g}"


def _law(store: SweepStore) -> str:
    """Theory's change of ln gamma against what untrained networks show, a row for each setting."""
    found = cells(store)
    if not found:
        return ""
    head = "".join(f"<th>{html.escape(field)}" for field in law_fields(store))
    rows = "".join(_cell(cell) for cell in found[:ROWS])
    scores = [abs(cell.t) for cell in found if math.isfinite(cell.t)]
    most = f" The largest |t| of {len(scores):,} is {max(scores):.1f}." if scores else ""
    return (
        "<h2>The law of untrained networks</h2><p>Change of ln γ from the input to the last hidden layer before training, mean over networks "
        "with its standard error, and Student's t of its difference from theory (one degree of freedom less than networks). Theorem for linear networks; of others theory is that of infinite "
        f"width, from which networks of finite width are off.{most}</p>"
        f"<table><tr>{head}<th>networks<th>measured<th>theory<th>t{rows}</table>"
    )


def _cell(cell: Cell) -> str:
    values = "".join(f"<td class=n>{html.escape(_shown(value))}" for value in cell.values)
    error = f" ± {cell.error:.4f}" if math.isfinite(cell.error) else ""
    t = f"{cell.t:+.1f}" if math.isfinite(cell.t) else "–"
    return f"<tr>{values}<td class=n>{cell.n}<td class=n>{cell.measured:.4f}{error}<td class=n>{cell.theory:.4f}<td class=n>{t}"


def _points(store: SweepStore) -> str:
    """The first points as a table."""
    columns = store.columns()
    shown = store.page(0, ROWS)
    head = "".join(f"<th>{html.escape(_heading(column))}" for column in columns)
    rows = "".join(_point(point, columns) for point in shown)
    rest = f"The first {ROWS:,} of {len(store.points):,}; all" if len(store.points) > ROWS else "All"
    return (
        f"<h2>Every point</h2><p>{rest} that are not waiting are in tables/points.csv.</p><details><summary>{len(shown):,} rows</summary>"
        f"<div class=wide><table><tr><th>point<th>status{head}{rows}</table></div></details>"
    )


def _point(point: PointRow, columns: Iterable[Column]) -> str:
    values = {**point.values, **point.row}
    held = "".join(f"<td class=n>{html.escape(_shown(values.get(column.name)))}" for column in columns)
    return f"<tr><td class=n>{point.id}<td>{point.status}{held}"


def _heading(column: Column) -> str:
    return f"{column.label} ({column.unit})" if column.unit else column.label


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _settings(store: SweepStore) -> str:
    """What all points have in common."""
    text = dump_spec(store.spec.model_copy(update={"sweep": SweepSpec()}))
    text = text[: text.index("[sweep]")] if "[sweep]" in text else text
    return f"<h2>Settings of all points</h2><p>But for the fields above.</p><pre>{html.escape(text)}</pre>"
