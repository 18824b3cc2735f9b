"""The fuzz targets hold for their own seeds, and for what was once found."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[2] / "fuzz/targets.py"


def targets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_targets", FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TARGETS = targets()


@pytest.mark.parametrize(
    ("name", "seed"), [(name, seed) for name, seeds in TARGETS.SEEDS.items() for seed in seeds]
)
def test_a_target_holds_for_its_seed(name: str, seed: bytes) -> None:
    TARGETS.TARGETS_OF_FUZZING[name](seed)


def test_every_target_has_seeds() -> None:
    assert list(TARGETS.SEEDS) == list(TARGETS.TARGETS_OF_FUZZING)
