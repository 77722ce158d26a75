"""Data that a teacher has labeled."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, choice, number, whole
from ....errors import refusal
from .._problems import fill

Array = NDArray[np.float64]

DISTRIBUTIONS = ("gaussian", "binary")


def task_size(alpha: float, inputs: int, distribution: str) -> tuple[int, int]:
    """Check a task; return its numbers of samples and of inputs."""
    choice("distribution", distribution, DISTRIBUTIONS)
    size = whole("inputs", inputs, low=2)
    samples = round(number("alpha", alpha, low=0.0, strict=True) * size)
    if samples < 1:
        raise refusal("alpha", alpha, f"must leave at least one sample of {size} inputs")
    afford(3.0 * samples * size, "one draw", "use fewer samples or inputs")
    return samples, size


def tasks(
    source: np.random.Generator, draws: int, samples: int, size: int, distribution: str
) -> Iterator[tuple[Array, Array]]:
    r"""Draw tasks, each from a stream of its own: :math:`Z_{\mu i} = y^\mu x^\mu_i/\sqrt N`, and a teacher of squared norm N."""
    for _ in range(draws):
        rng = source.spawn(1)[0]
        teacher = rng.standard_normal(size)
        teacher *= math.sqrt(size) / np.linalg.norm(teacher)
        signed = np.empty((samples, size))
        if distribution == "gaussian":
            fill(rng, signed)
        else:
            signed[:] = 2.0 * rng.integers(0, 2, (samples, size), dtype=np.int8) - 1.0
        signed *= np.copysign(1 / math.sqrt(size), signed @ teacher)[:, None]
        yield signed, teacher


def angle_over_pi(student: Array, teacher: Array) -> float:
    """Return the generalization error of a student; not by the cosine, which keeps no digits near 1."""
    a, b = student / np.linalg.norm(student), teacher / np.linalg.norm(teacher)
    return 2 / math.pi * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b)))
