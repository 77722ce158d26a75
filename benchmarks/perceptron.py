"""The perceptron at fixed norm: milliseconds a point, against the generic solver and against a plain SciPy replica iteration.

Run ``python benchmarks/perceptron.py`` (a minute or two). Targets, on one idle core: 0.2 ms a point, 3 s for a surface of
10 000 points, 5 ms for an optimal norm, 0.2 ms for a point of the master curve, 1 s for a curve of gradient flow, 1 s for a point
of the generic solver.
"""

from __future__ import annotations

import math
import time

import numba
import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq, root
from scipy.special import expit, ndtr
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import perceptron
from scalinglaws.verify.simulate import perceptron as simulate

POINTS = ((0.5, 0.5), (2.0, 2.0), (8.0, 8.0), (50.0, 5.0), (1000.0, 30.0))


def logistic(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logistic loss and its derivatives, as any user's function would."""
    falling = expit(-2 * u)
    return np.logaddexp(0, -2 * u), -2 * falling, 4 * falling * expit(2 * u)


def replica_iteration(alpha: float, norm: float) -> tuple[float, bool]:
    """Solve the two equations as they are written: adaptive quadrature of a proximal map found by a root finder at every field."""

    def displacement(omega: float, chi: float) -> float:
        # delta = 2 chi norm sigma(-2 norm (omega + delta))
        most = 2 * chi * norm

        def excess(delta: float) -> float:
            return delta - most * expit(-2 * norm * (omega + delta))

        return float(brentq(excess, 0.0, most, xtol=1e-14, rtol=1e-12))

    def residuals(unknown: np.ndarray) -> list[float]:
        tau, chi = np.exp(unknown)
        r, s = tau / math.hypot(1, tau), 1 / math.hypot(1, tau)
        options = {"points": [-s, 0.0, s, 1 / norm], "limit": 200, "epsabs": 0.0, "epsrel": 1e-9}
        first = quad(
            lambda w: (
                math.exp(-0.5 * (w / s) ** 2) / (s * math.sqrt(2 * math.pi)) * displacement(w, chi)
            ),
            -8 * s,
            8 * s,
            **{**options, "points": [-s, 0.0, s]},
        )[0]
        second = quad(
            lambda w: (
                2
                * math.exp(-0.5 * w * w)
                / math.sqrt(2 * math.pi)
                * ndtr(tau * w)
                * displacement(w, chi) ** 2
            ),
            -8 * s,
            8.0,
            **options,
        )[0]
        return [
            math.log(alpha * math.sqrt(2 / math.pi) * first / r),
            math.log(alpha * second / s**2),
        ]

    tau = math.sqrt(2 * alpha / math.pi)
    chi = tau / math.hypot(1, tau) / (alpha * math.sqrt(2 / math.pi) * norm)
    found = root(residuals, np.log([tau, chi]), tol=1e-9)
    return math.atan(math.exp(-found.x[0])) / math.pi, bool(found.success)


def points() -> None:
    """Print the time of single points in three ways."""
    print(
        "milliseconds a point                 compiled     generic    SciPy iteration    differences"
    )
    for alpha, norm in POINTS:
        many = np.full(200, norm)
        compiled = best_of(lambda a=alpha, n=many: perceptron.fixed_norm(a, n), 3) / many.size
        start = time.perf_counter()
        generic = perceptron.fixed_norm(alpha, norm, logistic).error
        slow = time.perf_counter() - start
        start = time.perf_counter()
        plain, success = replica_iteration(alpha, norm)
        plainly = time.perf_counter() - start
        known = perceptron.fixed_norm(alpha, norm).error
        remark = "" if success else "  (the iteration did not converge)"
        print(
            f"alpha = {alpha:6g}, norm = {norm:4g}          {1e3 * compiled:8.3f} {1e3 * slow:11.0f} {1e3 * plainly:18.0f}"
            f"    {abs(generic / known - 1):.0e}, {abs(plain / known - 1):.0e}{remark}"
        )


def surfaces() -> None:
    """Print the time of a surface, and its residuals."""
    alpha, norm = np.geomspace(1e-3, 1e7, 100), np.geomspace(1e-6, 1e8, 100)
    print(
        f"\nsurface of 100 x 100 points, alpha {alpha[0]:g} to {alpha[-1]:g}, norm {norm[0]:g} to {norm[-1]:g}"
    )
    most = numba.get_num_threads()
    for threads in sorted({1, most}):
        numba.set_num_threads(threads)
        seconds = best_of(lambda: perceptron.surface(alpha, norm), 3)
        print(
            f"  {threads} thread{'s' if threads > 1 else ''}: {seconds:.2f} s, {1e3 * seconds / 1e4:.3f} ms a point"
        )
    found = perceptron.surface(alpha, norm, on_failure="return")
    numbers = ("error", "train_loss", "train_error", "test_loss", "multiplier", "slope")
    broken = sum(int(np.count_nonzero(~np.isfinite(getattr(found, name)))) for name in numbers)
    print(
        f"  largest residual {found.diagnostics.residual:.1e}, {found.diagnostics.iterations} steps at most, "
        f"estimated relative error {found.diagnostics.error_estimate:.1e}, {broken} numbers that are not finite"
    )
    ratio = found.error / perceptron.bayes(alpha).error[:, None]
    print(f"  error over the Bayes error: {ratio.min():.6f} at least")


def others() -> None:
    """Print the time of the other solvers."""
    print("\nmilliseconds")
    x = np.geomspace(0.01, 100, 200)
    for label, count, call in (
        ("optimal norm", 20, lambda: perceptron.optimal_norm(np.geomspace(0.1, 1e6, 20))),
        ("norm for a penalty", 20, lambda: perceptron.ridge(np.geomspace(0.1, 1e6, 20), 0.1)),
        ("point of the master curve", x.size, lambda: perceptron.master_curve(x)),
        ("maximum stability", x.size, lambda: perceptron.max_stability(x)),
        ("Bayes error", x.size, lambda: perceptron.bayes(x)),
        (
            "gradient flow, curve of 50 norms",
            1,
            lambda: perceptron.gradient_flow(np.geomspace(0.01, 100, 50)),
        ),
        (
            "exponential loss, alpha = 8, norm = 4",
            1,
            lambda: perceptron.fixed_norm(8, 4, "exponential"),
        ),
        ("hinge loss, alpha = 2, norm = 1", 1, lambda: perceptron.fixed_norm(2, 1, "hinge")),
        ("square loss", x.size, lambda: perceptron.fixed_norm(x, 0.1, "square")),
    ):
        call()
        print(f"  {label:<42}{1e3 * best_of(call, 3) / count:10.3f}")
    rng = np.random.default_rng(0)
    layers = [rng.standard_normal((512, 512)) for _ in range(4)]
    kernels = [rng.standard_normal((64, 64, 3, 3))]
    print(
        f"  {'complexity, 4 layers of 512 x 512':<42}{1e3 * best_of(lambda: perceptron.spectral_complexity(layers), 3):10.1f}"
    )
    for mode in ("operator", "zero", "reshape"):
        seconds = best_of(
            lambda m=mode: perceptron.spectral_complexity(kernels, convolution=m, shape=(28, 28)), 2
        )
        print(f"  {f'complexity, 64 channels on 28 x 28, {mode}':<42}{1e3 * seconds:10.1f}")


def simulation() -> None:
    """Print what a simulation takes to know the error to one percent, by minimization and by gradient flow."""
    alpha, norm, draws = 8.0, 4.0, 12
    known = float(perceptron.fixed_norm(alpha, norm).error)
    solved = best_of(lambda: perceptron.fixed_norm(alpha, np.full(200, norm)), 3) / 200
    print(f"\nalpha = {alpha:g}, norm = {norm:g}, 200 inputs: seconds to a standard error of 1 %")
    for label, call in (
        ("minimization (L-BFGS)", lambda: simulate.fixed_norm([norm], alpha=alpha, draws=draws)),
        ("gradient flow", lambda: simulate.gradient_flow([norm], alpha=alpha, draws=draws)),
    ):
        start = time.perf_counter()
        errors = call().error[:, 0]
        seconds = time.perf_counter() - start
        spread = float(errors.std(ddof=1)) / math.sqrt(draws) / known
        needed = seconds * (spread / 0.01) ** 2
        print(
            f"  {label:<24}{needed:8.2f} s, {needed / solved:.0e} times a point of the solver "
            f"(mean {errors.mean() / known - 1:+.1%} of it, from {draws} draws)"
        )


if __name__ == "__main__":
    with threadpool_limits(1):
        perceptron.fixed_norm(1, 1)
        points()
        surfaces()
        others()
        simulation()
