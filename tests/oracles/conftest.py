"""The networks that attacks are compared on, trained once a session."""

from __future__ import annotations

from pathlib import Path

import networks
import pytest
from networks import Victim

VICTIMS = {
    "standard MLP": networks.standard_mlp,
    "standard CNN": networks.standard_cnn,
    "robust MLP": networks.robust_mlp,
    "robust CNN": networks.robust_cnn,
}


@pytest.fixture(params=VICTIMS, scope="session")
def victim(request: pytest.FixtureRequest) -> Victim:
    """Each network on digits in turn."""
    return VICTIMS[request.param]()


@pytest.fixture(params=["standard MLP", "robust CNN"], scope="session")
def pair_of_victims(request: pytest.FixtureRequest) -> Victim:
    """Two of them, for slow peers."""
    return VICTIMS[request.param]()


@pytest.fixture(scope="session")
def colour_victim() -> Victim:
    return networks.colour_cnn()


@pytest.fixture(params=[2, 3, 4], scope="session")
def few_class_victim(request: pytest.FixtureRequest) -> Victim:
    return networks.few_classes(request.param)


@pytest.fixture(scope="session")
def mnist_victim(mnist_folder: Path) -> Victim:
    return networks.mnist_cnn(mnist_folder)
