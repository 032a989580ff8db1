"""An example for each sample, of the class that it is to be taken for."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch
from engine.attacks.core.look import logits_of
from engine.errors import AttackError

LOOKED_AT = 128  # examples that go through the model at a time


def guides_of(batch: Batch, restart: int) -> Generator[None, None, Tensor]:
    """One labelled example a sample ``[n, ...]``, of the target class, or, untargeted, of any class but its own.

    Drawn among those that the network sees as the class they are; of a class of which it sees none so, among all. The
    looks at the examples are not counted: they are the same for all samples. Raises AttackError when there are no
    examples, or none of a class that is needed.
    """
    if batch.question.examples is None:
        raise AttackError("This attack aims at examples of other classes: give it labelled examples.")
    x, y = batch.question.examples
    seen = []
    for part in torch.split(x, LOOKED_AT):
        with torch.no_grad():
            seen.append(logits_of(batch.model, part).argmax(1))
        yield
    n_classes = max(int(y.max()), int(batch.y.max()), int(batch.labels.max())) + 1
    right = torch.cat(seen) == y
    known = torch.bincount(y[right], minlength=n_classes) > 0
    used = right | ~known[y]
    # examples in the order of their classes: a class's own stand together
    order = torch.argsort(torch.where(used, y, n_classes), stable=True)
    counts = torch.bincount(y[used], minlength=n_classes)
    ends = counts.cumsum(0)
    if batch.target is not None:
        many, begin = counts[batch.target], (ends - counts)[batch.target]
        missing = torch.unique(batch.target[many == 0]).tolist()
        if missing:
            raise AttackError(
                f"There is no example of class {', '.join(map(str, missing))} to drive features to: choose another goal, "
                "or data with training samples of every class."
            )
        return x[order[begin + batch.draws.integers(many, "guide", restart)]]
    own = counts[batch.y]
    others = ends[-1] - own
    if bool((others == 0).any()):
        raise AttackError(
            "There is no example of another class to drive features to: choose data with several classes."
        )
    place = batch.draws.integers(others, "guide", restart)
    place = torch.where(place >= ends[batch.y] - own, place + own, place)  # pass over the sample's own class
    return x[order[place]]
