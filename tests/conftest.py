"""What every test stands on: one thread, fixed seeds, and the folder of shared test material."""

import os
from pathlib import Path

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Two threads on a busy two-core machine are slower than one, and sums come out the same."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pictures and independent programs' outputs; tests skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here: it holds the real pictures this test reads")
    return SHARED
