"""Kernels of inputs against plain NumPy, whose temporaries are as large as the matrix, and against scikit-learn where it is there.

Run ``python benchmarks/kernels.py [INPUTS [FEATURES...]]``, by default 2000 inputs of 64 and 784 features: seconds of the processor
for the matrix of the inputs, for one of two sets of as many inputs, and ratios to the baseline on one thread.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from timing import least_cpu

from scalinglaws.solvers import kernels
from scalinglaws.solvers.expressions import compile_expression

Array = NDArray[np.float64]
W, B = 2.0, 0.0


def plain_relu(x: Array, z: Array, depth: int) -> Array:
    """Compute the tangent kernel of rectified units as published."""
    d = x.shape[1]
    sigma, a, b = W * x @ z.T / d + B, W * (x**2).sum(1) / d + B, W * (z**2).sum(1) / d + B
    theta = sigma.copy()
    for _ in range(depth):
        size = np.sqrt(np.outer(a, b))
        cosine = np.clip(sigma / size, -1, 1)
        angle = np.arccos(cosine)
        sine = np.sqrt(1 - cosine**2)
        sigma = W / 2 / math.pi * size * (sine + cosine * (math.pi - angle)) + B
        theta = sigma + theta * W / 2 * (1 - angle / math.pi)
        a, b = W / 2 * a + B, W / 2 * b + B
    return theta


def plain_erf(x: Array, z: Array, depth: int) -> Array:
    """Compute the tangent kernel of error functions as published."""
    d = x.shape[1]
    sigma, a, b = W * x @ z.T / d + B, W * (x**2).sum(1) / d + B, W * (z**2).sum(1) / d + B
    theta = sigma.copy()
    for _ in range(depth):
        size = np.outer(1 + 2 * a, 1 + 2 * b)
        slope = 4 * W / math.pi / np.sqrt(size - 4 * sigma**2)
        sigma = 2 * W / math.pi * np.arcsin(2 * sigma / np.sqrt(size)) + B
        theta = sigma + theta * slope
        a, b = (2 * W / math.pi * np.arcsin(2 * own / (1 + 2 * own)) + B for own in (a, b))
    return theta


def plain_squares(x: Array, z: Array) -> Array:
    """Compute squared distances from products, with their cancellation."""
    return np.maximum((x**2).sum(1)[:, None] + (z**2).sum(1) - 2 * x @ z.T, 0)


def table(inputs: int, features: int) -> None:
    """Print times and ratios for one number of features."""
    x, z = np.random.default_rng(0).standard_normal((2, inputs, features))
    ell = math.sqrt(features)
    rows: list[tuple[str, Callable[[], Array], Callable[[], Array], Callable[[], Array]]] = [
        (
            "rbf",
            lambda: np.exp(plain_squares(x, z) / (-2 * ell**2)),
            lambda: kernels.rbf_kernel(x, length=ell),
            lambda: kernels.rbf_kernel(x, z, length=ell),
        ),
        (
            "laplace",
            lambda: np.exp(-np.sqrt(plain_squares(x, z)) / ell),
            lambda: kernels.laplace_kernel(x, length=ell),
            lambda: kernels.laplace_kernel(x, z, length=ell),
        ),
    ]
    for depth in (1, 3):
        rows += [
            (
                f"relu_ntk, depth {depth}",
                lambda n=depth: plain_relu(x, z, n),
                lambda n=depth: kernels.relu_ntk(x, depth=n),
                lambda n=depth: kernels.relu_ntk(x, z, depth=n),
            ),
            (
                f"erf_ntk, depth {depth}",
                lambda n=depth: plain_erf(x, z, n),
                lambda n=depth: kernels.erf_ntk(x, depth=n),
                lambda n=depth: kernels.erf_ntk(x, z, depth=n),
            ),
        ]
    print(f"\n{inputs} inputs, {features} features    NumPy   x alone  ratio   x and z  ratio")
    for name, plain, alone, both in rows:
        alone(), both()  # compiled
        base, one, two = least_cpu(plain), least_cpu(alone), least_cpu(both)
        print(f"{name:27s} {base:9.3f} {one:9.3f} {base / one:6.1f} {two:9.3f} {base / two:6.1f}")
    try:
        from sklearn.metrics import pairwise
    except ImportError:
        print("scikit-learn is not installed")
        return
    other = least_cpu(lambda: pairwise.rbf_kernel(x, z, gamma=1 / (2 * ell**2)))
    ours = least_cpu(lambda: kernels.rbf_kernel(x, z, length=ell))
    print(f"rbf of scikit-learn {other:.3f} s, ratio {other / ours:.1f} for x and z; ", end="")
    # of sums of absolute differences: another kernel, and no product does it
    other = least_cpu(lambda: pairwise.laplacian_kernel(x[:200], z[:200], gamma=1 / ell))
    ours = least_cpu(lambda: kernels.laplace_kernel(x[:200], z[:200], length=ell))
    print(f"its laplacian (another distance) of 200 inputs {other:.4f} s, ratio {other / ours:.1f}")


def digits() -> None:
    """Print what the plain formulas lose for near duplicates: the largest difference, over the diagonal."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 64))
    z = x + 1e-9 * rng.standard_normal(x.shape)
    print("\nnear duplicates, difference of NumPy's kernel from ours over the diagonal entry")
    for name, plain, ours in (
        ("relu_ntk", plain_relu(x, z, 3), kernels.relu_ntk(x, z, depth=3)),
        ("erf_ntk", plain_erf(x, z, 3), kernels.erf_ntk(x, z, depth=3)),
    ):
        print(f"{name:10s} {np.max(np.abs(np.diag(plain - ours) / np.diag(ours))):.1e}")


def formula() -> None:
    """Print what a compiled formula costs."""
    text, args = "E + A*N**-a + B*D**-b", ("N", "D", "E", "A", "B", "a", "b")
    start = time.process_time()
    compiled = compile_expression(text, args)
    size, tokens = np.geomspace(1e6, 1e12, 1_000_000), np.geomspace(1e9, 1e13, 1_000_000)
    more = (1.7, 400.0, 2000.0, 0.35, 0.37)
    compiled(1e9, 1e10, *more)
    print(f"\na formula of two power laws: compiled in {time.process_time() - start:.2f} s")
    ours = least_cpu(lambda: compiled(size, tokens, *more))
    kernel = compiled._over
    columns = np.array(np.broadcast_arrays(size, tokens, *more))
    found = np.empty(size.size)
    bare = least_cpu(lambda: kernel(columns, found))
    E, A, b0, a, b = more
    base = least_cpu(lambda: E + A * size**-a + b0 * tokens**-b)
    print(
        f"a million points: NumPy {base:.3f} s, checked and broadcast {ours:.3f} s, compiled loop {bare:.3f} s"
    )


if __name__ == "__main__":
    given = [int(entry) for entry in sys.argv[1:]]
    with threadpool_limits(1):
        for width in given[1:] or (64, 784):
            table(given[0] if given else 2000, width)
        digits()
        formula()
