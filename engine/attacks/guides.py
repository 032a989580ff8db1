"""An example for each sample, of the class that it is to be taken for."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.batch import Batch
from engine.attacks.look import logits_of
from engine.errors import AttackError

LOOKED_AT = 128  # examples that go through the model at a time


def guides_of(batch: Batch, restart: int) -> Generator[None, None, Tensor]:
    """One labelled example a sample ``[n, ...]``, drawn among those that the network sees as the class they are.

    Of the target class, or, untargeted, of any class but the sample's own. The looks at the examples are not counted:
    they are the same for all samples. Raises AttackError when there are no examples, or none of a class that is needed.
    """
    if batch.question.examples is None:
        raise AttackError("This attack aims at examples of other classes: give it labelled examples.")
    x, y = batch.question.examples
    seen = []
    for part in torch.split(x, LOOKED_AT):
        with torch.no_grad():
            seen.append(logits_of(batch.model, part).argmax(1))
        yield
    right = torch.cat(seen) == y
    # by class: how many there are, and where they stand in the order of classes
    order = torch.argsort(torch.where(right, y, y.max() + 1), stable=True)
    n_classes = max(int(y.max()), int(batch.y.max()), int(batch.labels.max())) + 1
    counts = torch.bincount(y[right], minlength=n_classes)
    ends = counts.cumsum(0)
    if batch.target is not None:
        many, begin = counts[batch.target], (ends - counts)[batch.target]
        missing = torch.unique(batch.target[many == 0]).tolist()
        if missing:
            raise AttackError(
                f"The network sees no example of class {', '.join(map(str, missing))} as what it is, so there is nothing "
                "to drive features to: train it longer, or choose another goal."
            )
        return x[order[begin + batch.draws.integers(many, "guide", restart)]]
    own = counts[batch.y]
    others = ends[-1] - own
    if bool((others == 0).any()):
        raise AttackError("The network sees no example of another class as what it is: train it longer.")
    place = batch.draws.integers(others, "guide", restart)
    place = torch.where(place >= ends[batch.y] - own, place + own, place)  # pass over the sample's own class
    return x[order[place]]
