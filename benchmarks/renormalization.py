"""Renormalization: time against SciPy's quadrature, root finder and integrator, and NumPy's sums.

Run ``python benchmarks/renormalization.py``; about a minute.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from threadpoolctl import threadpool_limits
from timing import best_of

from scalinglaws.solvers import PowerLawSpectrum
from scalinglaws.solvers.renormalization import (
    convolved_likelihood,
    dimensionless_flow,
    ridge_flow,
    truncated_flow,
)

COUPLINGS = (0.5, 0.2)


def integrated(s: float) -> tuple[float, float]:
    """Return r and u by three calls of SciPy's adaptive quadrature, of the normal density's derivatives."""

    def moment(order: int) -> float:
        def integrand(z: float) -> float:
            t = math.sqrt(s) * z
            hermite = (1.0, 0.0, z * z - 1, 0.0, z**4 - 6 * z * z + 3)[order]
            return math.exp(-COUPLINGS[0] * t**2 - COUPLINGS[1] * t**4 - z * z / 2) * hermite

        far = min(12.0, 6 / math.sqrt(s))
        value = quad(integrand, -far, far, epsabs=0, epsrel=1e-12, limit=500)[0]
        return float(value / s ** (order / 2))

    zero, two, four = moment(0), moment(2), moment(4)
    return -two / zero / 2, -(four / zero - 3 * (two / zero) ** 2) / 24


def smoothed(s: float, residual: float) -> float:
    """Return the potential by SciPy's adaptive quadrature."""

    def integrand(t: float) -> float:
        return math.exp(-COUPLINGS[0] * t**2 - COUPLINGS[1] * t**4 - (t - residual) ** 2 / (2 * s))

    value = quad(integrand, -6, 6, epsabs=0, epsrel=1e-12, limit=500)[0]
    return -math.log(value / math.sqrt(2 * math.pi * s))


def likelihoods() -> None:
    """Print times of couplings and potentials."""
    variances = np.geomspace(0.05, 50, 1000)
    found = convolved_likelihood(COUPLINGS, variance=variances)
    known = np.array([integrated(s) for s in variances[::20]]).T
    apart = np.abs(np.array([found.quadratic, found.quartic])[:, ::20] / known - 1).max(axis=1)
    print(f"couplings: r within {apart[0]:.0e}, u within {apart[1]:.0e} of SciPy's quadrature")
    slow = best_of(lambda: [integrated(s) for s in variances[::20]], 3) / variances[::20].size
    fast = best_of(lambda: convolved_likelihood(COUPLINGS, variance=variances), 3) / variances.size
    alone = best_of(lambda: convolved_likelihood(COUPLINGS, variance=1.0), 20)
    rows = [
        ("r and u, scipy.integrate.quad, each", slow, 1.0),
        ("r and u, 1000 variances in a call, each", fast, slow / fast),
        ("r and u, one variance", alone, slow / alone),
    ]
    residuals = np.linspace(-4, 4, 10_000)
    one = convolved_likelihood(COUPLINGS, variance=0.3)
    slow = best_of(lambda: [smoothed(0.3, x) for x in residuals[::100]], 3) / 100
    fast = best_of(lambda: one.potential(residuals), 3) / residuals.size
    rows += [
        ("potential, scipy.integrate.quad, each", slow, 1.0),
        ("potential, 10 000 residuals in a call, each", fast, slow / fast),
    ]
    show(rows)


def explicit_flow(eigenvalues: np.ndarray, samples: float, ridge: float) -> np.ndarray:
    """Return the ridge at every cutoff, by a root of NumPy sums and a loop of them over cutoffs."""

    def excess(x: float) -> float:
        kappa = math.exp(x)
        total = ridge + np.sum(eigenvalues * kappa / (kappa + samples * eigenvalues))
        return float(np.log(total) - x)

    top = math.log(ridge + eigenvalues.sum())
    kappa = math.exp(brentq(excess, top - 80, top, xtol=1e-13))
    shares = eigenvalues * kappa / (kappa + samples * eigenvalues)
    return ridge + np.append(np.cumsum(shares[::-1])[::-1], 0.0)


def explicit_loop(eigenvalues: np.ndarray, samples: float, ridge: float, kappa: float) -> float:
    """Add modes up one at a time, in plain Python."""
    total = ridge
    for eigenvalue in eigenvalues[::-1]:
        total += eigenvalue * kappa / (kappa + samples * eigenvalue)
    return float(total)


def ridges() -> None:
    """Print times of ridges at a million cutoffs."""
    modes, samples, ridge = 10**6, 1e4, 1e-3
    spectrum = PowerLawSpectrum(1.5, 1, modes)
    cutoffs = np.arange(modes + 1.0)
    eigenvalues = np.arange(1.0, modes + 1) ** -1.5

    def flow() -> np.ndarray:
        found = ridge_flow(spectrum, samples=samples, ridge=ridge, cutoff=cutoffs)
        return np.asarray(found.ridge)

    apart = np.max(np.abs(flow() / explicit_flow(eigenvalues, samples, ridge) - 1))
    print(f"\nridges at {modes + 1} cutoffs: within {apart:.0e} of NumPy's sums")
    slow = best_of(lambda: explicit_flow(eigenvalues, samples, ridge), 3)
    kappa = ridge_flow(spectrum, samples=samples, ridge=ridge, cutoff=0).kappa
    loop = best_of(lambda: explicit_loop(eigenvalues, samples, ridge, kappa), 2)
    fast = best_of(flow, 3)
    one = best_of(lambda: ridge_flow(spectrum, samples=samples, ridge=ridge, cutoff=1000), 20)
    show(
        [
            ("all cutoffs, NumPy sums and SciPy root", slow, 1.0),
            ("all cutoffs, a Python loop, kappa given", loop, slow / loop),
            ("all cutoffs, ridge_flow", fast, slow / fast),
            ("one cutoff, ridge_flow", one, slow / one),
        ]
    )


def flows() -> None:
    """Print times of truncated and dimensionless flows."""
    times = np.geomspace(1e-3, 100, 50)

    def slope(_: float, y: np.ndarray) -> list[float]:
        return [6 * y[1] - 2 * y[0] ** 2, -8 * y[0] * y[1]]

    def integrator() -> np.ndarray:
        path = solve_ivp(
            slope, (0, 100), COUPLINGS, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-30
        )
        return np.asarray(path.y)

    found = truncated_flow(COUPLINGS, variance=times)
    apart = np.max(np.abs(np.array(found.couplings) / integrator() - 1))
    print(f"\ntruncated flow: within {apart:.0e} of SciPy's integrator")
    slow = best_of(integrator, 5)
    fast = best_of(lambda: truncated_flow(COUPLINGS, variance=times), 20)
    scale = np.linspace(0, 20, 50)
    other = best_of(
        lambda: dimensionless_flow(quadratic=0.1, quartic=2, alpha=0.5, scale=scale), 20
    )
    show(
        [
            ("50 variances, scipy.integrate.solve_ivp", slow, 1.0),
            ("50 variances, truncated_flow", fast, slow / fast),
            ("50 scales, dimensionless_flow", other, slow / other),
        ]
    )


def show(rows: list[tuple[str, float, float]]) -> None:
    """Print a table of times."""
    print(f"{'':<48}  seconds      ratio")
    for label, seconds, ratio in rows:
        print(f"{label:<48}{seconds:9.2e}  {ratio:9.3g}")


if __name__ == "__main__":
    with threadpool_limits(1):
        likelihoods()
        ridges()
        flows()
