"""What the steps of one experiment share: data, networks and results, each made once or taken from an earlier run."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.attacks import AttackResult
from engine.data import Dataset, balanced_order, load
from engine.errors import AttackError
from engine.events import Artifact, Event
from engine.experiments.keys import artifact_keys
from engine.models import Network, build, load_arrays
from engine.specs import ExperimentSpec

if TYPE_CHECKING:
    from engine.experiments.fleet import Fleet
    from engine.experiments.probe import Probe

EXAMPLES = 512  # training samples that an attack may start from or aim at

Making = Generator[Event | None, None, None]


@dataclass(frozen=True, eq=False)
class Attacked:
    """Attacked test samples: positions in the test set [N], images before and after, and what each was driven to.

    ``target`` is the chosen class, or for an untargeted attack the wrong class that the network sees in ``x_adv``, and
    -1 where it still sees the right one: such an input was driven nowhere, and is in no group of a target class.
    """

    index: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    x_adv: torch.Tensor
    target: torch.Tensor
    success: torch.Tensor


class Bench:
    """The workplace of one experiment. Every result is made at most once, and only when a step needs it."""

    def __init__(self, spec: ExperimentSpec, given: Mapping[str, Artifact]) -> None:
        self.spec = spec
        self.keys = artifact_keys(spec)
        self._given = {name: found for name, found in given.items() if found.key == self.keys.get(name)}
        self._dataset: Dataset | None = None
        self._initial: Network | None = None
        self.trained: Network | None = None
        self.attacked: Attacked | None = None
        self.probe: Probe | None = None
        self.fleet: Fleet | None = None
        self.hardened: dict[str, tuple[Network, Mapping[str, Any] | None]] = {}

    def given(self, name: str) -> Artifact | None:
        """An earlier run's artifact, if it was made from exactly what the spec says now."""
        return self._given.get(name)

    def dataset(self) -> Generator[Event | None, None, Dataset]:
        """The dataset, loaded on first use."""
        if self._dataset is None:
            self._dataset = yield from load(self.spec.dataset, self.spec.seed)
        return self._dataset

    def initial(self) -> Generator[Event | None, None, Network]:
        """The network as initialised, never trained."""
        if self._initial is None:
            dataset = yield from self.dataset()
            self._initial = build(self.spec.model, dataset, self.spec.seed)
        return self._initial

    def fresh(self) -> Generator[Event | None, None, Network]:
        """A second copy of the network as initialised, to be trained."""
        dataset = yield from self.dataset()
        return build(self.spec.model, dataset, self.spec.seed)

    def restored(self) -> Generator[Event | None, None, Network | None]:
        """The trained network from an earlier run, or None."""
        weights = self.given("weights")
        if self.trained is None and weights is not None:
            model = yield from self.fresh()
            load_arrays(model, weights.arrays)
            self.trained = model
        return self.trained

    def to_attack(self) -> Generator[Event | None, None, tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """The test samples to attack, probe samples first: positions [N], inputs [N, ...], labels [N]."""
        dataset = yield from self.dataset()
        index = test_order(dataset, self.spec.seed)[: self.spec.attack.samples]
        if not len(index):
            raise AttackError("There is no test sample to attack. Choose data with a test set on the Data step.")
        return index, dataset.x_test[index], dataset.y_test[index]

    def examples(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Labelled training samples that an attack may start from or aim at, balanced over the classes."""
        assert self._dataset is not None
        chosen = balanced_order(self._dataset.y_train, self.spec.seed, "attack examples")[:EXAMPLES]
        return self._dataset.x_train[chosen], self._dataset.y_train[chosen]

    def restored_attack(self) -> Generator[Event | None, None, Attacked | None]:
        """The attacked samples from an earlier run, or None."""
        found = self.given("adversarial")
        if self.attacked is None and found is not None:
            index, x, y = yield from self.to_attack()
            if not np.array_equal(found.arrays["index"], index.numpy()):
                return None
            kept = (torch.from_numpy(found.arrays[name].copy()) for name in ("x_adv", "target", "success"))
            if "x" in found.arrays:  # the attack began elsewhere than at the samples
                x = torch.from_numpy(found.arrays["x"].copy())
            self.attacked = Attacked(index, x, y, *kept)
        return self.attacked

    def keep_attack(self, attacked: Attacked, result: AttackResult) -> Artifact:
        """Remember the attacked samples and say what is to be kept of them."""
        self.attacked = attacked
        assert self._dataset is not None
        elsewhere = not torch.equal(attacked.x, self._dataset.x_test[attacked.index])
        return Artifact(
            "adversarial",
            self.keys["adversarial"],
            {
                "index": attacked.index.numpy(),
                "x_adv": attacked.x_adv.numpy(),
                "y": attacked.y.numpy(),
                "target": attacked.target.numpy(),
                "prediction": result.prediction.numpy(),
                "confidence": result.confidence.numpy(),
                "success": result.success.numpy(),
                "first_success": result.first_success.numpy(),
                "norm": result.norm.numpy(),
                **({"x": attacked.x.numpy()} if elsewhere else {}),
            },
        )


def test_order(dataset: Dataset, seed: int) -> torch.Tensor:
    """One order of the test samples for probes and attacks, balanced over the classes in every prefix."""
    return balanced_order(dataset.y_test, seed, "test order")
