"""What was measured of the geometry as HTML tables, and each claim with its verdict; "" for what the session doesn't hold."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.events import Frame
from engine.experiments.claims import Number
from engine.experiments.groups import GROUPS, QUANTITIES
from engine.report.verdicts import Judged, judged
from engine.session import Session, Table

LABELS = {group.name: group.label for group in GROUPS}
STATISTICS = {"vulnerability": "Vulnerability", "transferability": "Transfer", "complexity": "Complexity"}


def claims(session: Session) -> str:
    """Every claim with its verdict, once one of the experiments that test claims was run."""
    rows = "".join(_claim(each) for each in judged(session))
    if not rows:
        return ""
    return (
        "<h2>Claims</h2><p>The claims of the abstracts of arXiv 2309.15669, as read here, and what the runs of this session say of "
        "each. A verdict speaks of this data, these networks and this attack alone; without its runs there is none.</p>"
        f"<table><tr><th>claim<th>verdict<th>numbers, with 95% intervals<th>what decides{rows}</table>"
    )


def _claim(each: Judged) -> str:
    told = f"<tr><td>{html.escape(each.claim.text)}<br><small>{html.escape(each.claim.versions)}</small>"
    runs = f"<small>{each.runs}</small>"
    if each.verdict is None:
        return f"{told}<td>no verdict<td>{each.why_not}<br>{runs}<td>"
    numbers = "<br>".join(_number(number) for number in each.verdict.numbers)
    said = f"<b>{each.verdict.word}</b><br>{html.escape(each.verdict.sentence)}"
    return f"{told}<td>{said}<td>{numbers}<br>{runs}<td>{html.escape(each.verdict.control)}"


def _number(number: Number) -> str:
    value = _figure(number.value) if math.isfinite(number.value) else "–"
    interval = f" [{_figure(number.low)}, {_figure(number.high)}]" if math.isfinite(number.low + number.high) else ""
    return f"{html.escape(number.label)}: {value}{interval}"


def _figure(value: float) -> str:
    """Three places, or three digits where these would all be zeros."""
    return f"{value:+.3f}" if value == 0 or abs(value) >= 5e-4 else f"{value:+.2e}"


def takeover(session: Session) -> str:
    """C of the attacked inputs and of every control with the target class, layer by layer, and the falsifier's."""
    parts = []
    for name, title in (("takeover", "Takeover"), ("falsifier", "The falsifier: a network that learnt random labels")):
        frame = session.frame(name)
        if frame is None or not frame.info.get("done", True):
            continue
        taps = frame.info["taps"]
        head = "".join(f"<th>{html.escape(tap['name'])}" for tap in taps)
        rows = "".join(
            f"<tr><td>{html.escape(label)}" + "".join(_cell(frame, which, row, tap) for tap in range(len(taps)))
            for which in ("all", "success")
            for row, label in _labels(frame, which)
        )
        parts.append(
            f"<h2>{title}</h2><p>Mean centred correlation with training members of the target class, 95% bootstrap intervals over "
            f"{frame.info['inputs']:,} inputs; attack success {frame.info['success']:.1%}. At the logits it only restates "
            f"success.</p><div class=wide><table><tr><th>{head}{rows}</table></div>"
        )
    return "".join(parts)


def _labels(frame: Frame, which: str) -> Iterable[tuple[int, str]]:
    """Rows and what they are called; the members of a class are no attack's successes."""
    for row, (name, label) in enumerate(zip(frame.info["names"], frame.info["labels"], strict=True)):
        if which == "all":
            yield row, label
        elif name != "members":
            yield row, f"{label}, successes only"


def _cell(frame: Frame, which: str, row: int, tap: int) -> str:
    mean, low, high = (float(frame.arrays[f"{which}_{end}"][row, tap]) for end in ("mean", "low", "high"))
    return f"<td class=n>{_interval(mean, low, high)}"


def null(session: Session) -> str:
    """Mean centred C of pairs of clean inputs at every tap: untrained networks with their band, theory, and networks trained."""
    table = session.latest_table("null")
    if not len(table):
        return ""
    trained = _by_place(session.latest_table("repeats"), ("mean", "low", "high"))
    rows = ""
    for (group, tap), found in _by_place(table, ("mean", "low", "high", "theory")).items():
        if group in ("same", "different"):
            mean, low, high, theory = found
            beside = trained.get((group, tap))
            told = "–" if beside is None else _interval(*beside)
            known = f"{theory:+.3f}" if math.isfinite(theory) else "–"
            rows += f"<tr><td>{LABELS[group]}<td>{html.escape(tap)}<td class=n>{_interval(mean, low, high)}<td class=n>{known}<td class=n>{told}"
    networks = int(table.column("networks")[0])
    return (
        f"<h2>Null</h2><p>Mean centred correlation in {networks} networks of the same architecture that have learnt nothing, with the band "
        "into which one more falls in 95% of cases; what theory says of it; and networks trained from several seeds, with Student's 95% "
        "interval over networks.</p><table><tr><th>pairs<th>at<th>untrained<th>theory<th>trained"
        f"{rows}</table>"
    )


def _by_place(table: Table, columns: Sequence[str]) -> dict[tuple[str, str], tuple[float, ...]]:
    """Numbers of centred C by (group, tap), in the order of the table."""
    if not len(table):
        return {}
    quantity = QUANTITIES[0].name
    chosen = (table.column("view") == "centred") & (table.column("quantity") == quantity)
    held = [table.column(name)[chosen] if name in table.columns else [math.nan] * int(chosen.sum()) for name in columns]
    places = zip(table.column("group")[chosen], table.column("tap")[chosen], strict=True)
    return {place: tuple(map(_float, row)) for place, row in zip(places, zip(*held, strict=True), strict=True)}


def sets(session: Session) -> str:
    """What the layers, the CHSH protocol and the sets of features gave, as one table each."""
    return (
        _plain(
            session,
            "layers",
            "Parts of every layer",
            "Mean boost Δη of pairs, features as they are, with 95% bootstrap intervals over inputs; the limit is ln κ of the "
            "linear map and holds for it alone.",
            ("net", "tap", "part", "group", "boost", "low", "high", "largest", "limit"),
        )
        + _plain(
            session,
            "bell",
            "CHSH at every layer",
            "S with its standard error, no row discarded: |S| ≤ 2 is a theorem. The algebraic score of cosines is no S.",
            ("tap", "S", "error", "samples", "dead", "algebraic"),
        )
        + _plain(
            session,
            "structure",
            "Sets of features",
            "Spectra of the probe samples, centred; NC1 to NC4 of training samples, 0 at full collapse.",
            ("net", "tap", "effective_rank_centred", "purity_centred", "nc1", "nc2_norms", "nc2_angles", "nc3", "nc4"),
        )
        + similarity(session)
    )


def similarity(session: Session) -> str:
    """Debiased CKA of every tap with the one before it, with the last before the logits, and with itself before training."""
    table = session.latest_table("similarity")
    if not len(table):
        return ""
    held = zip(*(table.column(name) for name in ("tap", "other", "cka_layers", "cka_networks")), strict=True)
    found = {(tap, other): (_float(layers), _float(networks)) for tap, other, layers, networks in held}
    taps = list(dict.fromkeys(tap for tap, _ in found))
    last = taps[-2] if len(taps) > 1 else taps[-1]
    rows = ""
    for k, tap in enumerate(taps):
        before = found[tap, taps[k - 1]][0] if k else math.nan
        values = (before, found[tap, last][0], found[tap, tap][1])
        rows += f"<tr><td>{html.escape(tap)}" + "".join(_value(value) for value in values)
    return (
        "<h2>How alike layers are</h2><p>Debiased linear CKA of the probe samples' features: 1 is the same arrangement up to rotation and "
        "scale, 0 is none in common. One network, no interval.</p><table><tr><th>tap<th>with the tap before it"
        f"<th>with {html.escape(last)}<th>with the same tap before training{rows}</table>"
    )


def reconciled(session: Session) -> str:
    """What noise and reconciliation gave, as one table each."""
    return (
        _plain(
            session,
            "max_likelihood",
            "Noise in the MaxLikelihood network",
            "Our reconstruction. Losses (1 − C)/2 with 95% bootstrap intervals over samples, the rapidity that each layer gives, and the "
            "share of samples that end at the antipode.",
            (
                "series",
                "layer",
                "train_loss",
                "unseen_loss",
                "blind_loss",
                "boost",
                "wrong_pole",
                "effective_rank",
                "retrieval",
            ),
        )
        + _plain(
            session,
            "noise_controls",
            "Controls of zero loss on noise",
            "Accuracy with its 95% Wilson interval: labels at random say nothing of unseen samples, and of three targets at most two thirds "
            "are met. A predictor that looks at nothing has loss 0.",
            ("control", "samples", "accuracy", "low", "high", "n"),
        )
        + _plain(
            session,
            "reconciliation",
            "Reconciliation at every tap",
            "Mean angle to the reference in degrees, the share of inputs that open the lock with its 95% Wilson interval, and what the "
            "binomial law predicts of their angles.",
            ("tap", "kind", "angle", "recovered", "low", "high", "predicted", "n"),
        )
        + _plain(
            session,
            "reconciliation_controls",
            "Controls of reconciliation",
            "Share that opens the lock of the chosen layer, with its 95% Wilson interval.",
            ("control", "recovered", "low", "high", "n"),
        )
        + _plain(
            session,
            "price",
            "The price of entangling first",
            "After so many MaxLikelihood layers (our reconstruction): how many different hashes are left, with the entropy of their "
            "distribution in bits, and the share of genuine and impostor readings that open a lock.",
            ("series", "layers", "identities", "distinct", "entropy", "genuine", "impostor"),
        )
    )


def complexity(session: Session) -> str:
    """The law cell by cell, the architecture untrained, and the fleet."""
    return (
        _plain(
            session,
            "complexity_laws",
            "The law of linear networks",
            "Theorem, checked on networks drawn anew: mean ln γ of an orthogonal pair with its standard error over networks, the sum of gaps, and z; mean "
            "|η| beside the exact chain, and how far that is from the widest network's at the same proper depth.",
            (
                "width",
                "depth",
                "networks",
                "proper_depth",
                "ln_gamma",
                "error",
                "law",
                "z",
                "size",
                "size_law",
                "size_z",
                "collapse",
            ),
        )
        + _plain(
            session,
            "complexity_untrained",
            "This architecture before training",
            "Gain of ln γ from the input to the last hidden layer, mean over pairs, with its standard error over networks drawn anew, beside the null law. "
            "The law of infinite width is off by some 1/n: a large z of narrow networks says that.",
            ("width", "depth", "networks", "change", "error", "law", "kind", "z"),
        )
        + _plain(
            session,
            "complexity",
            "The fleet, network by network",
            "Boost is the gain of ln γ from the input to the last hidden layer; 95% Wilson intervals over samples for accuracies.",
            (
                "network",
                "parameters",
                "initial_change",
                "change",
                "added",
                "theory_change",
                "rank",
                "test_accuracy",
                "robust_accuracy",
                "robust_low",
                "robust_high",
            ),
        )
    )


def statistics(session: Session) -> str:
    """The rank correlations of the fleet with their tests."""
    parts = []
    for name, title in STATISTICS.items():
        frame = session.frame(name)
        if frame is None or not frame.info["done"]:
            continue
        rows = ""
        for found in frame.info["statistics"]:
            low, high, p = (math.nan if found[end] is None else found[end] for end in ("low", "high", "p"))
            rho = math.nan if found["rho"] is None else found["rho"]
            label = html.escape(found["label"]) + (
                f"<br><small>{html.escape(found['wrong'])}</small>" if found["wrong"] else ""
            )
            chance = f"{p:.2g}" if math.isfinite(p) else "–"
            if found["wrong"]:
                chance = f"<s>{chance}</s>"
            rows += f"<tr><td>{label}<td>{found['unit']}<td class=n>{_interval(rho, low, high)}<td class=n>{chance}<td class=n>{found['n']}"
        parts.append(
            f"<h2>{title}</h2><p>Spearman's rank correlations over {len(frame.info['networks'])} networks or over their inputs; p by "
            "permutation of the unit, 95% bootstrap intervals where units can be resampled.</p>"
            f"<table><tr><th>what<th>unit<th>ρ<th>p<th>n{rows}</table>"
        )
    return "".join(parts)


def _plain(session: Session, name: str, title: str, text: str, columns: Sequence[str]) -> str:
    """Some columns of the latest table of a name, as they are."""
    table = session.latest_table(name)
    if not len(table):
        return ""
    known = [column for column in columns if column in table.columns]
    head = "".join(f"<th>{column.replace('_', ' ')}" for column in known)
    held = [table.column(column).tolist() for column in known]
    rows = "".join("<tr>" + "".join(_value(value) for value in row) for row in zip(*held, strict=True))
    return f"<h2>{title}</h2><p>{text}</p><details><summary>{len(table):,} rows</summary><table><tr>{head}{rows}</table></details>"


def _value(value: object) -> str:
    if isinstance(value, str):
        return f"<td>{html.escape(value)}"
    number = _float(value)
    if not math.isfinite(number):
        return "<td class=n>–"
    return f"<td class=n>{number:,.0f}" if number == int(number) and abs(number) >= 10 else f"<td class=n>{number:.4g}"


def _interval(mean: float, low: float, high: float) -> str:
    if not math.isfinite(mean):
        return "–"
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" if math.isfinite(low + high) else f"{mean:+.3f}"


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def hardening(session: Session) -> str:
    """Clean and robust accuracy of each training, less the standard one's on the same samples, and whether it overfitted."""
    frame = session.frame("hardening")
    if frame is None or not frame.info["done"]:
        return ""
    rows = ""
    for k, label in enumerate(frame.info["labels"]):
        cells = ""
        for name in ("accuracy", "accuracy_paired"):
            for a in (0, 1):
                value, low, high = (float(frame.arrays[f"{name}{end}"][a, k]) for end in ("", "_low", "_high"))
                sign = "+" if name == "accuracy_paired" else ""
                told = f"{value:{sign}.1%} [{low:{sign}.1%}, {high:{sign}.1%}]" if math.isfinite(value) else "–"
                cells += f"<td class=n>{told}"
        rows += f"<tr><td>{html.escape(label)}{cells}<td>{_overfitted(frame.info['overfitted'][k])}"
    ball = f"{'L∞' if frame.info['norm'] == 'Linf' else html.escape(frame.info['norm'])}, eps {frame.info['eps']:g}"
    return (
        f"<h2>Adversarial training</h2><p>Accuracy on {frame.info['inputs']:,} test samples with its 95% Wilson interval, clean and under "
        f"{html.escape(frame.info['attack'])} ({ball}), the same attack for every network; and less the standard training's on the same samples, with "
        "95% intervals (Newcombe 1998). An attack bounds robust accuracy from above.</p><div class=wide><table><tr><th>training<th>clean<th>robust"
        f"<th>clean, less standard<th>robust, less standard<th>catastrophic overfitting{rows}</table></div>"
    )


def _overfitted(told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "–"
    done = "" if told["restored"] is None else f", network of step {told['restored']:,} restored"
    return f"at step {told['step']:,}{done}"
