"""Stated accuracies of limits, chains, descents, frontiers and the circle, against thirty digits or another route."""

import math

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.feature_learning import (
    circle_flow,
    compute_frontier,
    crossover_time,
    gradient_descent,
    gradient_flow,
    online_dmft,
    reuse_dmft,
    static_limit,
)
from scalinglaws.solvers.kernels import circle_eigenvalues

from .dmft_oracle import dense_fixed_point


def effort(quick, large):
    """Return a parametrization: a few random points by default, many under ``slow``."""
    return pytest.mark.parametrize("count", [quick, pytest.param(large, marks=pytest.mark.slow)])


def off(found, exact):
    """Return the relative error against a number of many digits."""
    return float(abs(mp.mpf(float(found)) - exact) / abs(exact))


@effort(20, 800)
def test_the_limit_of_long_training(count):
    """The printed formulas at a kappa found by bisection."""
    rng = np.random.default_rng(171)
    worst=0
    for _ in range(count):
        size = int(rng.integers(2, 30))
        eigenvalues, signal = 10 ** rng.uniform(-3, 0, size), 10 ** rng.uniform(-3, 0, size)
        n, p = (float(x) for x in rng.uniform(1, 0.95 * size, 2))
        if rng.random() < 0.2:
            p = math.inf
        found = static_limit(EmpiricalSpectrum(eigenvalues, signal), features=n, samples=p)
        with mp.workdps(40):
            modes = [mp.mpf(float(x)) for x in eigenvalues]
            powers = [mp.mpf(float(x)) for x in signal]

            def kappa(number, modes=modes):
                low, high = mp.mpf(-60), mp.mpf(20)
                while high - low > mp.mpf(10) ** -36:
                    middle = (low + high) / 2
                    k = mp.exp(middle)
                    more = mp.fsum(x / (x + k) for x in modes) > number
                    low, high = (middle, high) if more else (low, middle)
                return mp.exp(low)

            k = kappa(min(n, p))
            once = mp.fsum(s * k / (x + k) for x, s in zip(modes, powers, strict=True))
            if n < p:
                exact = once / (1 - mp.mpf(n) / mp.mpf(p)) if p < math.inf else once
            else:
                df2 = mp.fsum((x / (x + k)) ** 2 for x in modes)
                twice = mp.fsum(
                    s * (k / (x + k)) ** 2 for x, s in zip(modes, powers, strict=True)
                )
                exact = twice / (1 - df2 / p) + mp.mpf(p) / (mp.mpf(n) - mp.mpf(p)) * once
        e=off(found.test_loss, exact)/found.diagnostics.error_estimate
        if e>worst: worst=e; print("static",e,off(found.test_loss, exact),n,p,size)


@effort(12, 400)
def test_one_mode_of_a_chain(count):
    """With Q = w q of one mode: t is an integral over Q, by quadrature."""
    rng = np.random.default_rng(172)
    worst=0
    for _ in range(count):
        eigenvalue, signal, richness = (float(10 ** x) for x in rng.uniform(-2, 2, 3))
        depth = float(rng.choice([0.5, 2, 3, 5, 12]))
        with mp.workdps(30):
            rate, target = mp.mpf(eigenvalue), mp.sqrt(mp.mpf(signal) / mp.mpf(eigenvalue))
            m, gamma = mp.mpf(depth), mp.mpf(richness)

            def learned(q, m=m, gamma=gamma):
                return q * (1 + gamma * q * q) ** (m / 2)

            top = mp.findroot(lambda y: learned(mp.exp(y)) - target, (mp.mpf(-20), mp.log(target)), solver="anderson", tol=1e-50) if True else 0
            part = mp.mpf(float(rng.uniform(0.05, 0.999)))
            end = mp.exp(top) * part
            t = mp.quad(
                lambda q: 1 / (rate * (1 + gamma * q * q) ** (m / 2) * (target - learned(q))),
                mp.linspace(0, end, 9),
            )
            loss = rate * (target - learned(end)) ** 2
            scale = (1 + gamma * end**2) ** m
        found = gradient_flow(
            float(t), EmpiricalSpectrum([eigenvalue], [signal]), richness=richness, depth=depth
        )
        e=off(found.test_loss, loss)
        if e>worst: worst=e; print("chain", e, off(found.scale,scale), found.test_error/found.test_loss, found.scale_error/found.scale,eigenvalue,signal,richness,depth,part)
        if e*float(loss) > found.test_error or off(found.scale,scale)*float(scale)>found.scale_error: print("chain BROKEN",e, off(found.scale,scale), found.test_error/found.test_loss, found.scale_error/found.scale,eigenvalue,signal,richness,depth,part)
    

@effort(15, 400)
def test_merged_modes_of_descents(count):
    """However far the loss has fallen, merging changes it by less than 1e-9; twenty digits are followed by every mode."""
    rng = np.random.default_rng(173)
    worst=0
    for _ in range(count):
        size = int(rng.choice([40, 80]))
        task = PowerLawSpectrum(rng.uniform(1.05, 2.5), 10 ** rng.uniform(-1.5, 0.3), size)
        steps, c = int(10 ** rng.uniform(1, 3.3)), float(rng.uniform(0.2, 1.9))
        inputs = {
            "richness": float(10 ** rng.uniform(-2, 1)),
            "relative_rate": c,
            "depth": int(rng.integers(0, 3)),
        }
        merged, full = (gradient_descent(steps, task, modes=kind, **inputs) for kind in ("merged", "full"))
        e = np.max(np.abs(merged.test_loss / full.test_loss - 1))
        if e>worst: worst=e; print("descent", e, steps, inputs, task, full.test_loss[-1]/full.test_loss[0])


@effort(3, 20)
def test_frontiers_by_other_budgets(count):
    """Sizes and exponents by searching again next to the budget."""
    rng = np.random.default_rng(174)
    for _ in range(count):
        task, richness = PowerLawSpectrum(rng.uniform(1.2, 2), rng.uniform(0.3, 1)), float(10 ** rng.uniform(-1, 1))
        compute, step = 10 ** rng.uniform(4, 8), 0.05
        budgets = compute * np.exp(step * np.arange(-2, 3))
        found = compute_frontier(budgets, task, richness=richness)
        for name, sign, exponents in (("loss", -1, found.loss_exponent), ("features", 1, found.features_exponent)):
            log = np.log(getattr(found, name))
            slope = sign * (log[0] - 8 * log[1] + 8 * log[3] - log[4]) / (12 * step)
            print("frontier", name, slope - exponents[2])
