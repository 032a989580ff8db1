"""One page that says what was done and what was measured: settings, numbers with intervals, figures, honest captions."""

from __future__ import annotations

import html
from datetime import datetime
from io import StringIO
from pathlib import Path

import numpy as np

from engine.errors import ReportError, SessionError
from engine.report.export import export_tables
from engine.report.figures import FIGURES, PROFILE_GROUPS
from engine.session import Session
from engine.spec_files import dump_spec

CAPTIONS = {
    "training": "Measurement. Cross-entropy of every step before its update, and accuracy on the training batches "
    "(running mean over the epoch) and on the whole test set.",
    "gallery": "Measurement. The first attacked test samples: clean, the perturbation on a scale of its own, and "
    "adversarial, each with the class that the network sees and its confidence; orange where the attack succeeded.",
    "profile": "Measurement. Mean correlation of each group of pairs at the output of each layer, features centred by "
    "the mean of the reference training samples; bands are 95% bootstrap intervals over inputs, dashed lines are the "
    "same inputs in the same network before training. Every attacked input counts, successful or not. One network was "
    "trained, so the bands say nothing about other networks.",
    "matrices": "Measurement. Correlation of all pairs of probe samples, ordered by class, at the input, half way and "
    "before the logits.",
    "spacetime": "Theorem: |C| ≤ 1 keeps every line inside the cone. Analogy: reading depth as time. Each line is a "
    "pair, drawn at X = C₁ + … + C_l, centred.",
}

STYLE = """
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1a1f24; max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2.2rem }
p.quiet, figcaption { color: #5a6673; font-size: .88rem } figure { margin: 1rem 0 } figure svg { max-width: 100%; height: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #e3e7eb } td.n { text-align: right }
pre { background: #f5f7f8; padding: .9rem; overflow: auto; font-size: .82rem }
"""


def write_report(session: Session, folder: Path) -> Path:
    """Write ``report.html``, ``figures/*.svg`` and ``*.png``, and ``tables/*.csv`` to ``folder``; returns the page.

    Figures for which the session holds nothing are left out. Raises ReportError where a file cannot be written.
    """
    try:
        for name in ("figures", "tables"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        drawn = _draw(session, folder / "figures")
        export_tables(session, folder / "tables")
        page = folder / "report.html"
        page.write_text(_page(session, drawn), encoding="utf-8")
    except OSError as error:
        raise ReportError(
            f"The report could not be written to {folder}: {error.strerror}. Choose another folder."
        ) from error
    return page


def _draw(session: Session, folder: Path) -> dict[str, str]:
    """Figures as SVG text by name, written to ``folder`` on the way."""
    drawn = {}
    for name, (_, draw) in FIGURES.items():
        figure = draw(session)
        if figure is None:
            continue
        held = StringIO()
        figure.savefig(held, format="svg", metadata={"Date": None})
        text = held.getvalue()
        drawn[name] = text[text.index("<svg") :]
        (folder / f"{name}.svg").write_text(text, encoding="utf-8")
        figure.savefig(folder / f"{name}.png", dpi=200)
    return drawn


def _page(session: Session, drawn: dict[str, str]) -> str:
    now = datetime.now().astimezone().strftime("%d %B %Y, %H:%M")
    parts = [
        f"<h1>{html.escape(session.spec.title)}</h1><p class=quiet>Rapidity Lab, {now}.</p>",
        _runs(session),
        _numbers(session),
    ]
    for name, svg in drawn.items():
        title = FIGURES[name][0]
        parts.append(f"<h2>{title}</h2><figure>{svg}<figcaption>{CAPTIONS[name]}</figcaption></figure>")
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
    lines = []
    epochs, attack = session.latest_table("epochs"), session.latest_table("attack")
    if len(epochs):
        lines.append(("test accuracy", f"{epochs.column('test_accuracy')[-1]:.2%}"))
    if len(attack):
        lines.append(("attack success", f"{attack.column('success_rate')[-1]:.1%}"))
    table = "".join(f"<tr><td>{name}<td class=n>{value}" for name, value in lines)
    profile = session.latest_table("profile")
    if not len(profile):
        return f"<h2>Numbers</h2><table>{table}</table>" if lines else ""
    chosen = np.ones(len(profile), dtype=bool)
    for name, value in (("net", "trained"), ("view", "centred"), ("quantity", "C")):
        chosen &= profile.column(name) == value
    taps = sorted(set(profile.column("tap_index")[chosen]))
    ends = (taps[0], taps[-2] if len(taps) > 1 else taps[-1])
    rows = []
    for group, label in PROFILE_GROUPS.items():
        cells, n = [], ""
        for tap in ends:
            at = np.flatnonzero(chosen & (profile.column("tap_index") == tap) & (profile.column("group") == group))
            if len(at):
                mean, low, high = (profile.column(name)[at[0]] for name in ("mean", "low", "high"))
                cells.append(f"<td class=n>{mean:+.3f} [{low:+.3f}, {high:+.3f}]")
                n = str(int(profile.column("n")[at[0]]))
        if cells:
            rows.append(f"<tr><td>{html.escape(label)}{''.join(cells)}<td class=n>{n}")
    names = {int(t): str(name) for t, name in zip(profile.column("tap_index"), profile.column("tap"), strict=True)}
    head = "".join(f"<th>C at {html.escape(names[int(tap)])}" for tap in ends)
    return (
        f"<h2>Numbers</h2><table>{table}</table><p>Mean centred correlation, trained network, with 95% bootstrap intervals over "
        f"inputs:</p><table><tr><th>group{head}<th>inputs{''.join(rows)}</table>"
    )
