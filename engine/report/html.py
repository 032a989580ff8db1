"""One page that says what was done and what was measured: settings, numbers with intervals, figures, honest captions."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import ReportError, SessionError
from engine.report import attacks, complexity, hardening, robustness, tables
from engine.report.canvas import in_style
from engine.report.export import export_tables
from engine.report.figures import FIGURES, PROFILE_GROUPS
from engine.report.headlines import profile_rows, run_of, run_of_table, shares
from engine.session import Session
from engine.spec_files import dump_spec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = {
    "training": "Measurement. Cross-entropy of every step before its update, and accuracy on the training batches "
    "(running mean over the epoch) and on the whole test set; of an adversarial training also on test samples under PGD with its eps.",
    "gallery": "Measurement. The first attacked test samples: clean, the perturbation on a scale of its own, and "
    "adversarial, each with the class that the network sees and its confidence; orange where the attack succeeded.",
    "attacks": "Measurement. Left, the share of samples not broken within ε: a curve for an attack that looks for the smallest "
    "perturbation, a point for one of a fixed budget, both with 95% Wilson intervals; hollow, the same samples moved at random by as much; "
    "dashed, the accuracy before. The point of a budget of pixels, or of a patch, is at the most values that it changed. Right, the norms "
    "of the perturbations found; samples not broken have none and are in no bar. "
    "Every attack bounds robustness from above: another may find more.",
    "decision_map": "Measurement. What the network sees in the plane through a test sample x, the attacked x_adv and a third sample, "
    "in L2 lengths; paler near the edge of the true class, whose margin is 0 on the strong line. Dashed, the ball that the attack kept to "
    "(or the one that x_adv lies on) cut by the plane; dotted, the range of valid inputs. Two dimensions of many: other directions look different.",
    "class_matrix": "Measurement. Share of the test samples of each class (rows) that the attack, in its targeted form, drove to "
    "each other class (columns), with the number of successes. A cell stands on few samples: compare rows and columns rather than single cells.",
    "profile": "Measurement. Mean correlation of each group of pairs at the output of each layer, features centred by "
    "the mean of the reference training samples; n is the number of inputs; bands are 95% bootstrap intervals over them, dashed lines are the "
    "same inputs in the same network before training. Every attacked input counts, successful or not. One network was "
    "trained, so the bands say nothing about other networks.",
    "matrices": "Measurement. Correlation of all pairs of probe samples, ordered by class, at the input, half way and "
    "before the logits.",
    "spacetime": "Theorem: |C| ≤ 1 keeps every line inside the cone. Analogy: reading depth as time. Each line is a "
    "pair, drawn at X = C₁ + … + C_l, centred.",
    "takeover": "Measurement. Left, along the attack: the mean centred correlation of x_adv with training members of the target class, less "
    "that with its true class; red where the target is nearer. Right, in the end, over all attacked inputs whether they succeeded or not, with 95% "
    "bootstrap intervals over inputs: what x_adv must exceed (a random perturbation, the network before training, a network of another seed) "
    "and what members of the class reach. At the logits it only restates success. One network was attacked.",
    "null": "Measurement, and theory where there is one. Dashed with its band: the mean over untrained networks of the same architecture, and where "
    "one more falls in 95% of cases. Solid: networks trained from several seeds, with Student's 95% interval over networks. Dotted: theory.",
    "all_pairs": "Measurement. Density of C over every pair of test samples, centred, at the input, half way and before the logits; in brackets "
    "the number of pairs, which are not independent: they come from far fewer inputs and one network.",
    "layers": "Measurement. Mean boost of pairs by the linear map, the bias and the activation of each layer, features as they are; "
    "whiskers are 95% bootstrap intervals over inputs. The map to the logits is in the table alone.",
    "bell": "Theorem: |S| ≤ 2 with every row kept; a random hyperplane's signs correlate by the sawtooth. Measurement: the points. Signs of trained "
    "against untrained features, settings chosen to come as near a violation as they can; the algebraic score of cosines is no S.",
    "structure": "Measurement. Left, how many directions the centred features of the probe samples take up. Right, of training samples, spread within "
    "classes over that between them (NC1), and how far the class means are from a simplex (NC2).",
    "complexity": complexity.CAPTION,
    "robustness": robustness.CAPTION,
    "hardening": hardening.CAPTION,
    "max_likelihood": "Measurement, on our reconstruction of the MaxLikelihood network; dashed right, the law of infinite width (theorem). Loss (1 − C)/2 "
    "with the shared point, 95% bootstrap bands over samples; sign-blind counts the antipode as right. Dotted and grey, the control: the same samples with "
    "their mean subtracted. A constant predictor has loss 0 as well. That depth is time is an analogy.",
    "noise_descent": "Measurement. A deep linear network trained on the same samples by gradient descent, to the shared target and, as control, to random labels; "
    "95% bootstrap bands over samples.",
    "reconciliation": "Measurement, with the binomial law (theorem, for fresh projections) beside it. Above, what was fed to the lock of one class and what came "
    "out: every pixel of the output is in the public helper and its code, the input brings only the key that the network takes it for this class. Below left, "
    "the share recovered at each tap with 95% Wilson intervals over inputs; right, the same under added noise. One network. Reconciliation, not encryption.",
    "reconciliation_curve": "Theorem: the lines, for independent errors of rate θ/π. Measurement: the real decoder on simulated messages, with 95% Wilson intervals. "
    "Dotted, Shannon's limit: the angle beyond which codes of this rate, however long, cannot succeed reliably.",
    "price": "Measurement, on our reconstruction of the MaxLikelihood network. Layers before hashing make two readings of one identity alike, and those of "
    "two identities too: the hashes that are left, dashed, fall to two or to one. Dotted, the limits of infinite depth (theorem). 95% Wilson intervals over identities.",
}

# the topic that says from which run a figure is; a training leaves its last frames in the matrix
SOURCES = {
    "training": "model",
    "gallery": "gallery",
    "attacks": "gallery",
    "decision_map": "decision_map",
    "class_matrix": "class_matrix",
    "profile": "profile",
    "matrices": "matrix/clean",
    "spacetime": "pairs",
    "takeover": "takeover",
    "null": "null",
    "layers": "layers",
    "all_pairs": "all_pairs",
    "bell": "bell",
    "complexity": "complexity",
    "robustness": "robustness",
    "hardening": "hardening",
    "max_likelihood": "max_likelihood",
    "noise_descent": "noise_descent",
    "reconciliation": "reconciliation",
    "reconciliation_curve": "reconciliation_curve",
    "price": "price",
}
TABLES = {"structure": "structure"}  # drawn from a table: frames of its topic come from training as well

STYLE = """
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1f24; max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2.2rem }
p.quiet, figcaption { color: #5a6673; font-size: .88rem } figure { margin: 1rem 0 } figure svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #e3e7eb } td.n { text-align: right }
.wide { overflow-x: auto } .wide td { white-space: nowrap } small { color: #5a6673 }
pre { background: #f5f7f8; padding: .9rem; overflow: auto; font-size: .82rem }
"""


def write_report(session: Session, folder: Path) -> Path:
    """Write ``report.html``, ``figures/*.svg`` and ``*.png``, and ``tables/*.csv`` to ``folder``; returns the page.

    Figures for which the session holds nothing are left out. Raises ReportError where a file cannot be written.
    """
    try:
        for name in ("figures", "tables"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with in_style():
            drawn = write_drawn(folder / "figures", ((name, draw(session)) for name, (_, draw) in FIGURES.items()))
        export_tables(session, folder / "tables")
        page = folder / "report.html"
        page.write_text(_page(session, drawn), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {folder}: {error.strerror}. Choose another folder."
        ) from error
    return page


def write_figures(session: Session, folder: Path) -> list[Path]:
    """Write ``figures/*.svg`` and ``*.png`` to ``folder``; returns the files. Raises ReportError where one cannot be written."""
    with in_style():
        figures = ((name, draw(session)) for name, (_, draw) in FIGURES.items())
        drawn = write_drawn(folder / "figures", figures)
    return [folder / "figures" / f"{name}.{end}" for name in drawn for end in ("svg", "png")]


def write_drawn(folder: Path, figures: Iterable[tuple[str, Figure | None]]) -> dict[str, str]:
    """Write figures by name as SVG and PNG to ``folder``, and give them as SVG text; what there is none of is left out.

    To be called in the report's style (:func:`engine.report.canvas.in_style`). Raises ReportError where a file cannot be written.
    """
    drawn = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures:
            if figure is None:
                continue
            held = StringIO()
            figure.savefig(held, format="svg", metadata={"Date": None})
            text = held.getvalue()
            drawn[name] = text[text.index("<svg") :]
            (folder / f"{name}.svg").write_text(text, encoding="utf-8")
            figure.savefig(folder / f"{name}.png", dpi=200)
    except OSError as error:
        raise ReportError(f"{folder} could not be written: {error.strerror}. Choose another folder.") from error
    return drawn


def _page(session: Session, drawn: dict[str, str]) -> str:
    now = datetime.now().astimezone().strftime("%d %B %Y, %H:%M")
    parts = [
        f"<h1>{html.escape(session.spec.title)}</h1><p class=quiet>Rapidity Lab, {now}.</p>",
        _runs(session),
        _numbers(session),
        tables.claims(session),
        attacks.table(session),
        robustness.table(session),
    ]
    for name, svg in drawn.items():
        title = FIGURES[name][0]
        run = run_of_table(session, TABLES[name]) if name in TABLES else run_of(session, SOURCES[name])
        caption = CAPTIONS[name] + (f" Run {run}." if run is not None else "")
        parts.append(f"<h2>{title}</h2><figure>{svg}<figcaption>{caption}</figcaption></figure>")
    parts += [
        tables.takeover(session),
        tables.null(session),
        tables.sets(session),
        tables.reconciled(session),
        tables.hardening(session),
    ]
    parts += [tables.statistics(session), tables.complexity(session)]
    parts.append(_settings(session))
    title = html.escape(session.spec.title)
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>{''.join(parts)}</html>\n"


def _settings(session: Session) -> str:
    """The settings that each run was made with, once for runs that had the same; not what was edited since."""
    runs_of: dict[str, list[str]] = {}
    for run in session.runs():
        try:
            text = dump_spec(run.read_spec())
        except SessionError as error:
            text = str(error)
        runs_of.setdefault(text, []).append(str(run.id))
    if not runs_of:
        return f"<h2>Settings</h2><pre>{html.escape(dump_spec(session.spec))}</pre>"
    return "".join(
        f"<h2>Settings of run{'s' if len(runs) > 1 else ''} {', '.join(runs)}</h2><pre>{html.escape(text)}</pre>"
        for text, runs in runs_of.items()
    )


def _runs(session: Session) -> str:
    rows = "".join(
        f"<tr><td>{run.id}<td>{html.escape(run.experiment)}<td>{html.escape(run.status)}<td>{html.escape(run.error or '')}"
        for run in session.runs()
    )
    return f"<h2>Runs</h2><table><tr><th>run<th>experiment<th>ended<th>error{rows}</table>"


def _numbers(session: Session) -> str:
    table = "".join(f"<tr><td>{share.name}<td class=n>{share}" for share in shares(session))
    layers, rows = profile_rows(session.latest_table("profile"))
    if not table and not rows:
        return ""
    numbers = f"<h2>Numbers</h2><p>Shares of inputs with 95% Wilson intervals:</p><table>{table}</table>"
    if not rows:
        return numbers
    head = "".join(f"<th>C at {html.escape(layer)}" for layer in layers)
    lines = "".join(
        f"<tr><td>{html.escape(PROFILE_GROUPS.get(row.group, row.group))}"
        + "".join(f"<td class=n>{mean:+.3f} {_ends(low, high)}" for mean, low, high in row.at)
        + f"<td class=n>{row.n}"
        for row in rows
    )
    return (
        f"{numbers}<p>Mean centred correlation, trained network, with 95% bootstrap intervals over inputs:</p>"
        f"<table><tr><th>group{head}<th>inputs{lines}</table>"
    )


def _ends(low: float, high: float) -> str:
    return f"[{low:+.3f}, {high:+.3f}]" if math.isfinite(low + high) else "(one input: no interval)"
