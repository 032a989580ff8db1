"""What is measured on a network's features, as frames: correlation matrices, the profile of the groups, world lines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.data import Dataset, balanced_order
from engine.events import Event, Frame, Phase, Progress
from engine.experiments.bench import Attacked, Bench, Making, test_order
from engine.experiments.groups import GROUP_POSITION, GROUPS, QUANTITIES
from engine.experiments.lens import VIEWS, Features, Lens, paired_values
from engine.experiments.pictures import taps_info
from engine.generators import drain, stoppable
from engine.geometry.bootstrap import Interval, PairBootstrap, input_means
from engine.geometry.groups import class_groups
from engine.models import Network
from engine.seeds import derive, generator
from engine.specs import ExperimentSpec

LIVE_BOOTSTRAP = 200  # resamples of a band that is drawn once and replaced
LIVE_INPUTS = 64  # attacked inputs in a live profile; the final one takes all

Section = dict[str, Interval]
"""Groups by name; the tensors of each interval are [views, Q, T]."""


class Probe:
    """The inputs that are looked at, and the network at initialisation that everything is compared with.

    The probe samples are test samples balanced over the classes and sorted by class; the reference samples are
    training samples. Which they are depends on the seed alone, so every probe of a run looks at the same inputs.
    """

    def __init__(self, spec: ExperimentSpec, dataset: Dataset, initial: Network) -> None:
        self._spec, self._dataset = spec, dataset
        self._taps = taps_info(initial)
        chosen = test_order(dataset, spec.seed)[: spec.probe.samples]
        self.index = chosen[torch.argsort(dataset.y_test[chosen], stable=True)]
        self.x, self.y = dataset.x_test[self.index], dataset.y_test[self.index]
        reference = balanced_order(dataset.y_train, spec.seed, "reference")[: spec.probe.reference]
        self._reference = dataset.x_train[reference], dataset.y_train[reference]
        self._initial = self.lens(initial)
        self._eta_at_start = self._initial.matrix(self._initial.features(self.x))
        self._bootstraps: dict[int, PairBootstrap] = {}
        self._pairs_at_start: dict[int, Section] = {}
        self._kept: dict[tuple[Lens, int], tuple[Tensor, Section]] = {}
        self._trained: tuple[Lens, Tensor] | None = None

    def lens(self, model: Network) -> Lens:
        """A network seen with this probe's reference samples."""
        return Lens(model, *self._reference)

    # --- frames ----------------------------------------------------------------------------------------------

    def training_frames(self, model: Network, step: int, *, keep: bool, phase: Phase = "train") -> Iterator[Frame]:
        """The picture of a network in training: all pairs of clean probe samples."""
        eta = self._matrix(self.lens(model))
        yield self._matrix_frame("matrix/clean", phase, step, self.index, self.y, eta, keep)
        yield self._profile_frame(phase, step, self._pairs(eta, LIVE_BOOTSTRAP), self._start(LIVE_BOOTSTRAP), keep)
        yield self._pairs_frame(phase, step, self._clean_lines(eta, self._spec.probe.pairs), keep)

    def start_frames(self) -> Iterator[Frame]:
        """The picture of the network at initialisation."""
        eta, start = self._eta_at_start, self._start(LIVE_BOOTSTRAP)
        yield self._matrix_frame("matrix/clean", "init", 0, self.index, self.y, eta, True)
        yield self._profile_frame("init", 0, start, start, True)
        yield self._pairs_frame("init", 0, self._clean_lines(eta, self._spec.probe.pairs), True)

    def attack_frames(self, model: Network, attacked: Attacked, step: int) -> Iterator[Frame]:
        """The picture of an attack at one of its steps, on those attacked inputs that are probe samples too."""
        lens, eta = self._now(model)
        some, few = first(attacked, self._spec.probe.samples), first(attacked, LIVE_INPUTS)
        yield self._adversarial_frame(lens, some, "attack", step)
        yield self._pairs_frame("attack", step, self._attack_lines(lens, eta, some), True)
        now = self._pairs(eta, LIVE_BOOTSTRAP) | drain(self._attacked(lens, few, LIVE_BOOTSTRAP))
        start = self._start(LIVE_BOOTSTRAP) | drain(self._attacked(self._initial, few, LIVE_BOOTSTRAP))
        yield self._profile_frame("attack", step, now, start, True)

    def measured_frames(self, model: Network, attacked: Attacked) -> Generator[Event, None, Frame]:
        """The final picture, on every attacked input and with the full bootstrap; returns the profile."""
        resamples = self._spec.probe.bootstrap
        lens, eta = self._now(model)
        yield self._matrix_frame("matrix/clean", "measure", 0, self.index, self.y, eta, True)
        some = first(attacked, self._spec.probe.samples)
        yield self._adversarial_frame(lens, some, "measure", 0)
        yield Progress(1, 4, "measuring: all pairs")
        said = Progress(2, 4, "measuring: attacked inputs")
        now = self._pairs(eta, resamples) | (yield from stoppable(self._attacked(lens, attacked, resamples), said))
        said = Progress(3, 4, "measuring: the same at initialisation")
        again = stoppable(self._attacked(self._initial, attacked, resamples), said)
        start = self._start(resamples) | (yield from again)
        frame = self._profile_frame("measure", 0, now, start, True, resamples)
        yield frame
        yield self._pairs_frame("measure", 0, self._attack_lines(lens, eta, some), True)
        return frame

    # --- measuring -------------------------------------------------------------------------------------------

    def _now(self, model: Network) -> tuple[Lens, Tensor]:
        """The trained network's lens and clean matrix, made once: an attack changes neither."""
        if self._trained is None:
            lens = self.lens(model)
            self._trained = lens, self._matrix(lens)
        return self._trained

    def _matrix(self, lens: Lens, x: Tensor | None = None) -> Tensor:
        return lens.matrix(lens.features(self.x if x is None else x))

    def _pairs(self, eta: Tensor, resamples: int) -> Section:
        """Pairs of clean probe samples, of the same class and of different classes."""
        if resamples not in self._bootstraps:
            groups, seed = class_groups(self.y), derive(self._spec.seed, "pair bootstrap")
            self._bootstraps[resamples] = PairBootstrap(
                groups, n=len(self.y), n_groups=2, resamples=resamples, seed=seed
            )
        found = self._bootstraps[resamples].profile(eta)  # tensors [Q, groups, views, T]
        n = torch.full_like(found.count[:, 0], len(self.y))

        def of(part: Tensor, g: int) -> Tensor:
            return part[:, g].transpose(0, 1)

        return {
            name: Interval(of(found.mean, g), of(found.low, g), of(found.high, g), n, n)
            for g, name in enumerate(("same", "different"))
        }

    def _start(self, resamples: int) -> Section:
        if resamples not in self._pairs_at_start:
            self._pairs_at_start[resamples] = self._pairs(self._eta_at_start, resamples)
        return self._pairs_at_start[resamples]

    def _attacked(self, lens: Lens, attacked: Attacked, resamples: int) -> Generator[None, None, Section]:
        """The groups that an attack makes: every attacked input counts, whether the attack succeeded or not."""
        clean, adv = lens.features(attacked.x), lens.features(attacked.x_adv)
        random = lens.features(self.random_perturbation(attacked))
        section = dict(self._unmoved(lens, clean, attacked.target, resamples))
        yield
        toward_target = lens.toward(adv, attacked.target)
        section["adv_target"] = self._means(toward_target, resamples)
        # an input left out is NaN: the same inputs are resampled in every group
        missed = ~attacked.success[:, None, None, None]
        section["adv_success"] = self._means(toward_target.masked_fill(missed, torch.nan), resamples)
        yield
        steps: tuple[tuple[str, Callable[[], Tensor]], ...] = (
            ("random_target", lambda: lens.toward(random, attacked.target)),
            ("adv_true", lambda: lens.toward(adv, attacked.y)),
            ("clean_adv", lambda: paired_values(lens.between(clean, adv))),
            ("clean_random", lambda: paired_values(lens.between(clean, random))),
        )
        for name, values in steps:
            section[name] = self._means(values(), resamples)
            yield
        return section

    def _unmoved(self, lens: Lens, clean: Features, target: Tensor, resamples: int) -> Section:
        """The groups that an attack does not change from one step to the next, unless it changes its targets."""
        key = (lens, resamples)
        if key not in self._kept or not torch.equal(self._kept[key][0], target):
            found = {
                "target_members": self._means(lens.toward(lens.features(self.x), self.y), resamples),
                "clean_target": self._means(lens.toward(clean, target), resamples),
            }
            self._kept[key] = target, found
        return self._kept[key][1]

    def _means(self, values: Tensor, resamples: int) -> Interval:
        return input_means(values, resamples=resamples, seed=derive(self._spec.seed, "input bootstrap"))

    def random_perturbation(self, attacked: Attacked) -> Tensor:
        """The control: each input moved in a random direction by as much as the attack moved it, in the attack's norm."""
        delta = (attacked.x_adv - attacked.x).flatten(1)
        noise = torch.randn(delta.shape, generator=generator(self._spec.seed, "random perturbation"))
        if self._spec.attack.norm == "Linf":
            moved = noise.sign() * delta.abs().amax(1, keepdim=True)
        else:
            moved = noise * (delta.norm(dim=1, keepdim=True) / noise.norm(dim=1, keepdim=True))
        x = attacked.x + moved.reshape(attacked.x.shape)
        bounds = self._dataset.bounds
        return x if bounds is None else x.clamp(*bounds)

    # --- world lines -----------------------------------------------------------------------------------------

    def _clean_lines(self, eta: Tensor, count: int) -> list[tuple[str, Tensor, Tensor, Tensor]]:
        """Some pairs of each kind among the probe samples: (group, a [k], b [k], eta [views, T, k])."""
        i, j = torch.triu_indices(len(self.y), len(self.y), offset=1)
        groups = class_groups(self.y)
        lines = []
        for g, name in enumerate(("same", "different")):
            members = torch.nonzero(groups == g).flatten()
            order = torch.randperm(len(members), generator=generator(self._spec.seed, "world lines", name))
            picked = members[order[: max(1, count // 2)]]
            lines.append((name, self.index[i[picked]], self.index[j[picked]], eta[:, :, picked]))
        return lines

    def _attack_lines(self, lens: Lens, eta: Tensor, attacked: Attacked) -> list[tuple[str, Tensor, Tensor, Tensor]]:
        """A quarter each: clean pairs of both kinds, and x and x_adv with one training member of the target class."""
        quarter = max(1, self._spec.probe.pairs // 4)
        some = first(attacked, quarter)
        members = lens.members(some.target.tolist(), generator(self._spec.seed, "world lines", "members"))
        nobody = torch.full_like(some.index, -1)
        return [
            *self._clean_lines(eta, 2 * quarter),
            ("clean_target", some.index, nobody, lens.between(lens.features(some.x), members)),
            ("adv_target", some.index, nobody, lens.between(lens.features(some.x_adv), members)),
        ]

    # --- into frames -----------------------------------------------------------------------------------------

    def _matrix_frame(
        self, topic: str, phase: Phase, step: int, index: Tensor, label: Tensor, eta: Tensor, keep: bool
    ) -> Frame:
        arrays = {"eta": eta.float().numpy(), "index": index.numpy(), "label": label.numpy()}
        return Frame(topic, phase, step, arrays, {"taps": self._taps, "classes": list(self._dataset.classes)}, keep)

    def _adversarial_frame(self, lens: Lens, attacked: Attacked, phase: Phase, step: int) -> Frame:
        order = torch.argsort(attacked.y, stable=True)
        eta = self._matrix(lens, attacked.x_adv[order])
        return self._matrix_frame(
            "matrix/adversarial", phase, step, attacked.index[order], attacked.y[order], eta, True
        )

    def _profile_frame(
        self, phase: Phase, step: int, now: Section, start: Section, keep: bool, resamples: int = LIVE_BOOTSTRAP
    ) -> Frame:
        shape = (2, VIEWS, len(QUANTITIES), len(GROUPS), len(self._taps))
        mean, low, high = (np.full(shape, np.nan) for _ in range(3))
        count = np.zeros(len(GROUPS), dtype=np.int64)
        for net, section in enumerate((now, start)):
            for name, interval in section.items():
                g = GROUP_POSITION[name]
                mean[net, :, :, g], low[net, :, :, g], high[net, :, :, g] = interval.mean, interval.low, interval.high
                count[g] = int(interval.count.max())
        info: dict[str, Any] = {
            "groups": [{"name": group.name, "label": group.label} for group in GROUPS],
            "quantities": [asdict(quantity) for quantity in QUANTITIES],
            "taps": self._taps,
            "bootstrap": resamples,
        }
        return Frame("profile", phase, step, {"mean": mean, "low": low, "high": high, "count": count}, info, keep)

    def _pairs_frame(
        self, phase: Phase, step: int, lines: list[tuple[str, Tensor, Tensor, Tensor]], keep: bool
    ) -> Frame:
        arrays = {
            "eta": torch.cat([eta for *_, eta in lines], dim=2).permute(0, 2, 1).float().numpy(),
            "a": torch.cat([a for _, a, _, _ in lines]).numpy(),
            "b": torch.cat([b for _, _, b, _ in lines]).numpy(),
            "group": np.concatenate([np.full(len(a), GROUP_POSITION[name]) for name, a, _, _ in lines]),
        }
        info = {"groups": [{"name": group.name, "label": group.label} for group in GROUPS], "taps": self._taps}
        return Frame("pairs", phase, step, arrays, info, keep)


def first(attacked: Attacked, count: int) -> Attacked:
    """The first ``count`` attacked inputs."""
    return Attacked(*(getattr(attacked, name)[:count] for name in Attacked.__annotations__))


def probe_for(bench: Bench) -> Generator[Event, None, Probe]:
    """The bench's probe, made on first use."""
    if bench.probe is None:
        dataset = yield from bench.dataset()
        initial = yield from bench.initial()
        bench.probe = Probe(bench.spec, dataset, initial)
    return bench.probe


def initial_frames(bench: Bench) -> Making:
    """The picture of the network before any training."""
    probe = yield from probe_for(bench)
    yield from probe.start_frames()
