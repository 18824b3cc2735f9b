"""How the cost of a function grows with its input: a question of the algorithm, not of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Hold eight times the input to less than 32 times the processor time; a quadratic cost is 64 times."""
    small = min(_cost(work, size) for _ in range(3))
    large = _cost(work, size * 8)
    assert large < 32 * small, f"{size} cost {small:.4f} s, eight times as much {large:.4f} s"


def _cost(work: Callable[[int], object], size: int) -> float:
    begin = time.process_time()
    work(size)
    return max(time.process_time() - begin, 1e-4)
