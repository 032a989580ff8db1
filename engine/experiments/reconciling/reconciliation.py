"""From an unreadable input to a readable one: a network's features as the key to an image hidden in public helper data.

For each class and layer a message is locked to the hash of the class's reference feature, the mean of its training members
centred by the training mean. Then the locks are tried: with noise driven to the class by an attack, with the noise itself,
with clean test images, and with the fooling noise at another class's lock. Two controls tell where the effect comes from:
features that are not centred, and a network that was never trained. All that comes out is in helper and code; the input
brings nothing but "the network takes this for class k". It is reconciliation, not encryption.

Sources: A. Juels, M. Wattenberg (1999), "A fuzzy commitment scheme"; A. Nguyen, J. Yosinski, J. Clune (2015), "Deep neural
networks are easily fooled".
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from numpy.typing import NDArray

from engine.data import Dataset, balanced_order
from engine.errors import ReconcileError
from engine.events import Event, Progress
from engine.experiments.bench import Bench, Making
from engine.experiments.reconciling.cases import KINDS
from engine.experiments.reconciling.curve import reconciliation_curve
from engine.experiments.reconciling.fooling import clean_images, fooling_noise
from engine.experiments.reconciling.locks import Locks, forged, references
from engine.experiments.reconciling.table import Tried
from engine.experiments.reconciling.trials import Inputs, at_lock, robustness, share_opened
from engine.experiments.train import trained
from engine.generators import stoppable
from engine.models import Network, Tap
from engine.reconcile.code import Code, prepared, require_room
from engine.reconcile.message import BITS, SIDE, from_hex, reduced
from engine.seeds import derive
from engine.specs import ReconcileSpec


def reconciliation(bench: Bench) -> Making:
    """Make locks at every layer and try them, the chosen layer first; trains the network where needed."""
    spec, seed = bench.spec.reconcile, bench.spec.seed
    require_room(spec.code_length, spec.corrects, BITS)
    dataset = yield from bench.dataset()
    initial = yield from bench.initial()
    layer = chosen_tap(initial, spec.layer)
    classes = known_classes(dataset, spec)
    next(prepared(spec.code_length, spec.corrects), None)  # its compiler works while the network learns
    model = yield from trained(bench)
    fooling = yield from fooling_noise(model, dataset, spec, classes, seed)
    inputs = Inputs.of(fooling, *clean_images(dataset, spec.trials, seed), classes)
    code = yield from the_code(spec)
    messages = messages_of(dataset, spec, seed)
    said = Progress(0, 1, "averaging training features")
    means = yield from stoppable(references(model, dataset, seed, model.taps), said)

    tried = Tried(bench, model, dataset, code, inputs, messages, layer)
    order = sorted(range(len(model.taps)), key=lambda number: number != layer)  # the chosen layer is shown at once
    for number, position in enumerate(order):
        tap = model.taps[position]
        said = Progress(number, len(order), f"reconciliation at {tap.name}")
        forging = forged(means[tap.name], messages, code, repetition=spec.repetition, seed=projection_seed(seed, tap))
        locks = yield from stoppable(forging, said)
        if position == layer:
            _require_lock(locks, dataset, spec, tap)
        outcomes = yield from stoppable(at_lock(model, tap, locks, inputs), said)
        yield from stoppable(tried.fill(position, outcomes), said)
        if position == layer:
            tried.demonstrate(outcomes)
            yield tried.frame(done=False)
            adding = robustness(model, tap, locks, inputs, dataset, code, spec.repetition, seed)
            tried.robust = yield from stoppable(adding, Progress(number, len(order), "adding noise"))
            yield from _controls(bench, model, initial, dataset, code, inputs, messages, tried)
        yield tried.frame(done=False)
    yield from tried.records()
    yield tried.frame(done=True)
    yield from reconciliation_curve(code, own=spec.repetition, decodings=spec.decodings, seed=seed)
    yield Progress(1, 1, "reconciliation measured")


def the_code(spec: ReconcileSpec) -> Generator[Event | None, None, Code]:
    """The code that the spec asks for, compiled on first use in a process."""
    return (yield from stoppable(prepared(spec.code_length, spec.corrects), Progress(0, 1, "preparing the BCH code")))


def chosen_tap(model: Network, layer: str) -> int:
    """Position of the tap of that name, or of the last before the class scores for ""; raises ReconcileError for others."""
    names = [tap.name for tap in model.taps]
    if not layer:
        return max(0, len(names) - 2)
    if layer not in names:
        raise ReconcileError(
            f"This network has no layer {layer!r} whose features could be hashed: choose one of {', '.join(names)}, or leave it empty."
        )
    return names.index(layer)


def known_classes(dataset: Dataset, spec: ReconcileSpec) -> torch.Tensor:
    """The classes that have training samples; raises ReconcileError where the chosen one is not among them."""
    classes: torch.Tensor = torch.unique(dataset.y_train)
    if spec.chosen_class >= dataset.n_classes:
        raise ReconcileError(
            f"There is no class {spec.chosen_class} in {dataset.name}: choose one from 0 to {dataset.n_classes - 1}."
        )
    if spec.chosen_class not in classes:
        raise ReconcileError(
            f"Class {dataset.classes[spec.chosen_class]} of {dataset.name} has no training sample, so it has no reference feature: "
            "choose another class."
        )
    if len(classes) < 2:
        raise ReconcileError(
            f"{dataset.name} has training samples of one class alone, and centred by their mean their reference feature is nothing: "
            "choose data with two classes at least."
        )
    return classes


def messages_of(dataset: Dataset, spec: ReconcileSpec, seed: int) -> NDArray[np.uint8]:
    """What is locked for each class ``[K, 8, 8]``: a training sample of it, or for the chosen class the spec's message."""
    order = balanced_order(dataset.y_train, seed, "reconciliation")
    labels = dataset.y_train[order]
    messages = np.zeros((dataset.n_classes, SIDE, SIDE), np.uint8)
    for k in range(dataset.n_classes):
        members = order[labels == k]
        if len(members):
            messages[k] = reduced(dataset.x_train[members[0]].numpy(), None)  # at its full contrast, small as it is
    if spec.message:
        messages[spec.chosen_class] = from_hex(spec.message)
    return messages


def projection_seed(seed: int, tap: Tap) -> int:
    """From which the public projection of a layer is drawn."""
    return derive(seed, "reconciliation", tap.name)


# --- pieces ------------------------------------------------------------------------------------------------------


def _require_lock(locks: Locks, dataset: Dataset, spec: ReconcileSpec, tap: Tap) -> None:
    if not locks.has(spec.chosen_class):
        raise ReconcileError(
            f"The features of class {dataset.classes[spec.chosen_class]} at {tap.name} are all zero, or the same as everybody's, so "
            "there is no direction to lock a message to: choose another layer, or train the network better."
        )


def _controls(
    bench: Bench,
    model: Network,
    initial: Network,
    dataset: Dataset,
    code: Code,
    inputs: Inputs,
    messages: NDArray[np.uint8],
    tried: Tried,
) -> Making:
    """Raw noise at locks of features that are not centred, and fooling noise hashed in the network as initialised."""
    spec, seed, tap = bench.spec.reconcile, bench.spec.seed, model.taps[tried.layer]
    said = Progress(0, 1, "controls of reconciliation")
    for name, network, x, centring in (
        ("uncentred", model, inputs.x[KINDS.index("raw noise")], False),
        ("random_net", initial, inputs.x[KINDS.index("fooling noise")], True),
    ):
        means = yield from stoppable(references(network, dataset, seed, [tap]), said)
        forging = forged(
            means[tap.name],
            messages,
            code,
            repetition=spec.repetition,
            seed=projection_seed(seed, tap),
            centring=centring,
        )
        locks = yield from stoppable(forging, said)
        tried.controls[name] = yield from stoppable(share_opened(network, tap, locks, x, inputs.lock[0]), said)
