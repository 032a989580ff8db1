"""What is measured on a network's features: all pairs of probe samples, and the groups of pairs that an attack makes.

As in :mod:`engine.experiments.lens`, what takes more than a moment is a generator that yields None where it can be
cancelled. Its frames come in between.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.data import Dataset, balanced_order
from engine.errors import DataError
from engine.events import Event, Frame, Progress
from engine.experiments.bench import Attacked, Bench, test_order
from engine.experiments.control import moving_at_random
from engine.experiments.keys import artifact_keys
from engine.experiments.lens import Features, Lens, Work, look
from engine.experiments.linear_lines import exact_rapidities
from engine.experiments.measured import Lines, Moment, Samples, matrix_frame, pairs_frame, profile_frame
from engine.experiments.pictures import taps_info
from engine.experiments.sets import measure_sets, sets_frame
from engine.generators import stoppable, timed
from engine.geometry.bootstrap import Interval, PairBootstrap, input_means
from engine.geometry.groups import class_groups
from engine.models import Network
from engine.seeds import derive, generator
from engine.specs import ExperimentSpec

LIVE_BOOTSTRAP = 200  # resamples of a band that is drawn once and replaced
LIVE_INPUTS = 64  # attacked inputs in a live profile; the final one takes all

T = TypeVar("T")
Measuring = Generator[Event | None, None, T]


class Probe:
    """The inputs that are looked at, and the network at initialisation that everything is compared with.

    The probe samples are test samples balanced over the classes and sorted by class; the reference samples are
    training samples. Which they are depends on the seed alone, so every probe of a run looks at the same inputs.

    Raises DataError when there are fewer than two test samples.
    """

    def __init__(self, spec: ExperimentSpec, dataset: Dataset, initial: Network) -> None:
        if len(dataset.y_test) < 2:
            raise DataError(
                f"Features are compared in pairs, but {dataset.name} has {len(dataset.y_test)} test sample(s). "
                "Take more test samples on the Data step."
            )
        self._spec, self._dataset, self._network = spec, dataset, initial
        self._taps = taps_info(initial)
        self._key = artifact_keys(spec)["weights"]
        chosen = test_order(dataset, spec.seed)[: spec.probe.samples]
        self.index = chosen[torch.argsort(dataset.y_test[chosen], stable=True)]
        self.x, self.y = dataset.x_test[self.index], dataset.y_test[self.index]
        reference = balanced_order(dataset.y_train, spec.seed, "reference")[: spec.probe.reference]
        self.reference = dataset.x_train[reference], dataset.y_train[reference]
        self._bootstraps: dict[int, PairBootstrap] = {}
        self._unmoved_groups: dict[tuple[Lens, int], tuple[Tensor, dict[str, Interval], Tensor]] = {}
        self._looks: dict[str, tuple[Lens, Tensor]] = {}
        self._sets_at_start: tuple[np.ndarray, np.ndarray] | None = None
        self._pairs_at_start: dict[int, dict[str, Interval]] = {}
        self.first_took = 0.0

    # --- frames ----------------------------------------------------------------------------------------------

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._dataset.classes

    def training_frames(self, model: Network, at: Moment) -> Measuring[None]:
        """The picture of a network in training: all pairs of clean probe samples."""
        lens = yield from look(model, *self.reference)
        features = yield from lens.features(self.x)
        eta = yield from lens.matrix(features)
        yield from self._clean_frames(at, lens, eta)
        now = yield from measure_sets(model, lens, features)
        yield sets_frame(at, model, self.y, lens, now, (yield from self._sets()))

    def start_frames(self) -> Measuring[None]:
        """The picture of the network at initialisation."""
        lens, eta = yield from self._at_start()
        yield from self._clean_frames(Moment("init", 0), lens, eta)
        start = yield from self._sets()
        yield sets_frame(Moment("init", 0), self._network, self.y, lens, start, start)

    def _clean_frames(self, at: Moment, lens: Lens, eta: Tensor) -> Measuring[None]:
        yield self._matrix_frame("matrix/clean", at, self.index, self.y, eta)
        start = yield from self._start(LIVE_BOOTSTRAP)
        now = start if at.phase == "init" else (yield from self._pairs(eta, LIVE_BOOTSTRAP))
        yield profile_frame(at, now, start, self._taps, LIVE_BOOTSTRAP, key=self._key)
        yield pairs_frame(at, self._clean_lines(lens, eta, self._spec.probe.pairs), self._taps)

    def attack_frames(self, model: Network, attacked: Attacked, step: int) -> Measuring[None]:
        """The picture of an attack at one of its steps, on those attacked inputs that are probe samples too."""
        yield from self._frames(model, attacked, Moment("attack", step), first(attacked, LIVE_INPUTS), LIVE_BOOTSTRAP)

    def measured_frames(self, model: Network, attacked: Attacked) -> Measuring[Frame]:
        """The final picture, on every attacked input and with the full bootstrap; returns the profile."""
        _, eta = yield from self._trained(model)
        at = Moment("measure", 0)
        yield self._matrix_frame("matrix/clean", at, self.index, self.y, eta)
        return (yield from self._frames(model, attacked, at, attacked, self._spec.probe.bootstrap, told=True))

    def _frames(
        self, model: Network, attacked: Attacked, at: Moment, inputs: Attacked, resamples: int, told: bool = False
    ) -> Measuring[Frame]:
        """Matrix and world lines of the probe samples among the attacked, and the profile of ``inputs``."""
        lens, eta = yield from self._trained(model)
        initial, _ = yield from self._at_start()
        some = first(attacked, self._spec.probe.samples)
        order = torch.argsort(some.y, stable=True)
        adversarial = yield from self._matrix(lens, some.x_adv[order])
        yield self._matrix_frame("matrix/adversarial", at, some.index[order], some.y[order], adversarial)
        lines = yield from self._attack_lines(lens, eta, some)
        yield pairs_frame(at, lines, self._taps)
        sections: list[dict[str, Interval]] = []
        kept: dict[str, Tensor] = {}
        for number, (seen, pairs) in enumerate(
            ((lens, self._pairs(eta, resamples)), (initial, self._start(resamples)))
        ):
            said = Progress(1 + number, 3, "measuring: at initialisation" if number else "measuring") if told else None
            clean = yield from stoppable(pairs, said)
            attacking = self._attacked(seen, inputs, resamples, kept if seen is lens else {})
            sections.append(clean | (yield from stoppable(attacking, said)))
        samples = Samples(inputs.index, kept["adv_target"], kept["clean_target"], kept["random_target"])
        frame = profile_frame(at, sections[0], sections[1], self._taps, resamples, samples, self._key)
        yield frame
        return frame

    def _matrix_frame(self, topic: str, at: Moment, index: Tensor, label: Tensor, eta: Tensor) -> Frame:
        return matrix_frame(topic, at, index, label, eta, self._taps, self._dataset.classes)

    # --- looks, each taken once ------------------------------------------------------------------------------

    def _at_start(self) -> Work[tuple[Lens, Tensor]]:
        """The initial network's lens and its clean matrix."""
        return (yield from self._look("initial", self._network))

    def _trained(self, model: Network) -> Work[tuple[Lens, Tensor]]:
        """The trained network's: an attack changes neither."""
        return (yield from self._look("trained", model))

    def _look(self, name: str, model: Network) -> Work[tuple[Lens, Tensor]]:
        if name not in self._looks:
            lens = yield from look(model, *self.reference)
            self._looks[name] = lens, (yield from self._matrix(lens, self.x))
        return self._looks[name]

    def _matrix(self, lens: Lens, x: Tensor) -> Work[Tensor]:
        features = yield from lens.features(x)
        return (yield from lens.matrix(features))

    def _sets(self) -> Work[tuple[np.ndarray, np.ndarray]]:
        """Sets of features of the initial network."""
        if self._sets_at_start is None:
            lens, _ = yield from self._at_start()
            features = yield from lens.features(self.x)
            self._sets_at_start = yield from measure_sets(self._network, lens, features)
        return self._sets_at_start

    def attack_width(self, model: Network) -> Work[int]:
        """Features of the trained network at all taps together: what a look at one input costs."""
        lens, _ = yield from self._trained(model)
        return lens.width

    # --- groups ----------------------------------------------------------------------------------------------

    def _start(self, resamples: int) -> Work[dict[str, Interval]]:
        if resamples not in self._pairs_at_start:
            _, eta = yield from self._at_start()
            self._pairs_at_start[resamples] = yield from self._pairs(eta, resamples)
        return self._pairs_at_start[resamples]

    def _pairs(self, eta: Tensor, resamples: int) -> Work[dict[str, Interval]]:
        """Pairs of clean probe samples, of the same class and of different classes."""
        if resamples not in self._bootstraps:
            groups, seed = class_groups(self.y), derive(self._spec.seed, "pair bootstrap")
            self._bootstraps[resamples] = PairBootstrap(
                groups, n=len(self.y), n_groups=2, resamples=resamples, seed=seed
            )
        bootstrap = self._bootstraps[resamples]
        views, taps, pairs = eta.shape
        profile = yield from bootstrap.profiling(eta.reshape(views * taps, pairs))  # tensors [Q, groups, rows]

        def whole(name: str, group: int) -> Tensor:
            part: Tensor = getattr(profile, name)[:, group]
            return part.reshape(-1, views, taps).transpose(0, 1)

        found = {}
        for group, name in enumerate(("same", "different")):
            used = whole("count", group)
            # the independent unit is the input, and it is inputs that are counted
            inputs = torch.where(used > 0, len(self.y), 0)
            mean, low, high, saturated = (whole(part, group) for part in ("mean", "low", "high", "saturated"))
            found[name] = Interval(mean, low, high, inputs, saturated)
        return found

    def _attacked(
        self, lens: Lens, attacked: Attacked, resamples: int, kept: dict[str, Tensor]
    ) -> Work[dict[str, Interval]]:
        """The groups that an attack makes: every attacked input counts, whether the attack succeeded or not.

        Each input's own C [views, n, T] with its target class is put into ``kept``, by group.
        """
        clean = yield from lens.features(attacked.x)
        adv = yield from lens.features(attacked.x_adv)
        random = yield from lens.features((yield from self.moved_at_random(attacked)))
        unmoved, kept["clean_target"] = yield from self._unmoved(lens, clean, attacked.target, resamples)
        section = dict(unmoved)
        values, saturated = yield from lens.toward(adv, attacked.target)
        kept["adv_target"] = own_correlation(values)
        section["adv_target"] = self._means(values, resamples, saturated)
        # an input left out is NaN: the same inputs are resampled in every group
        missed = ~attacked.success[:, None, None, None]
        section["adv_success"] = self._means(values.masked_fill(missed, torch.nan), resamples)
        yield
        for name, features, labels in (("random_target", random, attacked.target), ("adv_true", adv, attacked.y)):
            values, saturated = yield from lens.toward(features, labels)
            section[name] = self._means(values, resamples, saturated)
            kept[name] = own_correlation(values)
        for name, features in (("clean_adv", adv), ("clean_random", random)):
            section[name] = self._means((yield from lens.between(clean, features)), resamples)
        return section

    def _unmoved(
        self, lens: Lens, clean: Features, target: Tensor, resamples: int
    ) -> Work[tuple[dict[str, Interval], Tensor]]:
        """The groups that an attack does not change from one step to the next, unless it changes its targets."""
        key = (lens, resamples)
        if key not in self._unmoved_groups or not torch.equal(self._unmoved_groups[key][0], target):
            members = yield from lens.features(self.x)
            found, own = {}, torch.empty(0)
            for name, features, labels in (("target_members", members, self.y), ("clean_target", clean, target)):
                values, saturated = yield from lens.toward(features, labels)
                found[name] = self._means(values, resamples, saturated)
                own = own_correlation(values)
            self._unmoved_groups[key] = target, found, own
        return self._unmoved_groups[key][1:]

    def _means(self, values: Tensor, resamples: int, saturated: Tensor | None = None) -> Interval:
        found = input_means(values, resamples=resamples, seed=derive(self._spec.seed, "input bootstrap"))
        if saturated is None:
            return found
        return Interval(found.mean, found.low, found.high, found.count, saturated[:, None].expand_as(found.count))

    def moved_at_random(self, attacked: Attacked) -> Work[Tensor]:
        """The attacked inputs moved at random by as much as the attack moved them."""
        draw = generator(self._spec.seed, "random perturbation")
        x, x_adv = attacked.x, attacked.x_adv
        return (yield from moving_at_random(x, x_adv, self._spec.attack.norm, self._dataset.bounds, draw))

    # --- world lines -----------------------------------------------------------------------------------------

    def _clean_lines(self, lens: Lens, eta: Tensor, count: int) -> list[Lines]:
        """Some pairs of each kind among the probe samples."""
        i, j = torch.triu_indices(len(self.y), len(self.y), offset=1)
        groups = class_groups(self.y)
        lines = []
        for g, name in enumerate(("same", "different")):
            members = torch.nonzero(groups == g).flatten()
            order = torch.randperm(len(members), generator=generator(self._spec.seed, "world lines", name))
            picked = members[order[: max(1, count // 2)]]
            a, b, shown = i[picked], j[picked], eta[:, :, picked]
            exact = exact_rapidities(lens.model, self.x[a], self.x[b], self.reference[0])
            if exact is not None:  # goes on where features have become parallel to the last digit
                shown = torch.cat([shown[:, :1], torch.where(exact.isnan(), shown[:, 1:], exact)], dim=1)
            lines.append(Lines(name, self.index[a], self.index[b], shown))
        return lines

    def _attack_lines(self, lens: Lens, eta: Tensor, attacked: Attacked) -> Work[list[Lines]]:
        """A quarter each: clean pairs of both kinds, and x and x_adv with one training member of the target class."""
        quarter = max(1, self._spec.probe.pairs // 4)
        some = first(attacked, quarter)
        members = lens.members(some.target.tolist(), generator(self._spec.seed, "world lines", "members"))
        lines = self._clean_lines(lens, eta, 2 * quarter)
        for name, x in (("clean_target", some.x), ("adv_target", some.x_adv)):
            features = yield from lens.features(x)
            lines.append(
                Lines(name, some.index, torch.full_like(some.index, -1), (yield from lens.rapidity(features, members)))
            )
        return lines


def own_correlation(values: Tensor) -> Tensor:
    """Each input's own C [views, n, T] out of all quantities [n, views, Q, T]."""
    return values[:, :, 0].transpose(0, 1)


def first(attacked: Attacked, count: int) -> Attacked:
    """The first ``count`` attacked inputs."""
    return Attacked(*(getattr(attacked, name)[:count] for name in Attacked.__annotations__))


def probe_for(bench: Bench) -> Measuring[Probe]:
    """The bench's probe, made on first use."""
    if bench.probe is None:
        dataset = yield from bench.dataset()
        initial = yield from bench.initial()
        bench.probe = Probe(bench.spec, dataset, initial)
    return bench.probe


def initial_frames(bench: Bench) -> Measuring[float]:
    """The picture of the network before any training; returns the seconds it took, when it was first made."""
    probe = yield from probe_for(bench)
    took = yield from timed(probe.start_frames())
    probe.first_took = max(probe.first_took, took)
    return probe.first_took
