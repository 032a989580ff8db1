"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "mnist"


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """Real MNIST in IDX files: the folder RAPIDITY_MNIST names, or ../shared/data/mnist beside the project."""
    folder = Path(os.environ.get("RAPIDITY_MNIST") or BESIDE)
    if not folder.is_dir():
        pytest.skip(f"real MNIST is not in {folder}; set RAPIDITY_MNIST to a folder with its IDX files")
    return folder
