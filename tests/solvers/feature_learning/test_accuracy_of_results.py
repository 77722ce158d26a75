"""Stated accuracies of limits, chains, descents, frontiers and the circle, against thirty digits or another route."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import AccuracyWarning, StabilityWarning
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.feature_learning import (
    circle_flow,
    compute_frontier,
    gradient_descent,
    gradient_flow,
    online_dmft,
    reuse_dmft,
    static_limit,
)


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
                twice = mp.fsum(s * (k / (x + k)) ** 2 for x, s in zip(modes, powers, strict=True))
                exact = twice / (1 - df2 / p) + mp.mpf(p) / (mp.mpf(n) - mp.mpf(p)) * once
        assert off(found.test_loss, exact) <= found.diagnostics.error_estimate, (n, p)


@effort(12, 400)
def test_one_mode_of_a_chain(count):
    """With Q = w q of one mode: t is an integral over Q, by quadrature."""
    rng = np.random.default_rng(172)
    for _ in range(count):
        eigenvalue, signal, richness = (float(10**x) for x in rng.uniform(-2, 2, 3))
        depth = float(rng.choice([0.5, 2, 3, 5, 12]))
        with mp.workdps(30):
            rate, target = mp.mpf(eigenvalue), mp.sqrt(mp.mpf(signal) / mp.mpf(eigenvalue))
            m, gamma = mp.mpf(depth), mp.mpf(richness)

            def learned(q, m=m, gamma=gamma):
                return q * (1 + gamma * q * q) ** (m / 2)

            low, high = mp.mpf(-60), mp.log(target)
            while high - low > mp.mpf(10) ** -27:
                middle = (low + high) / 2
                low, high = (middle, high) if learned(mp.exp(middle)) < target else (low, middle)
            part = mp.mpf(float(rng.uniform(0.05, 0.999)))
            end = mp.exp(low) * part
            t = mp.quad(
                lambda q: 1 / (rate * (1 + gamma * q * q) ** (m / 2) * (target - learned(q))),  # noqa: B023
                mp.linspace(0, end, 9),
            )
            loss = rate * (target - learned(end)) ** 2
            scale = (1 + gamma * end**2) ** m
        found = gradient_flow(
            float(t), EmpiricalSpectrum([eigenvalue], [signal]), richness=richness, depth=depth
        )
        note = (eigenvalue, signal, richness, depth)
        assert off(found.test_loss, loss) < 1e-8 + 1e-9 * abs(math.log(1 - part)), note
        assert off(found.scale, scale) < 1e-8, note
        assert off(found.test_loss, loss) * found.test_loss <= found.test_error, note
        assert off(found.scale, scale) * found.scale <= found.scale_error, note


@effort(5, 200)
def test_merged_modes_of_descents(count):
    """However far the loss has fallen, merging changes it by less than 1e-9; twenty digits are followed by every mode."""
    rng = np.random.default_rng(173)
    for _ in range(count):
        size = int(rng.choice([40, 80]))
        task = PowerLawSpectrum(rng.uniform(1.05, 2.5), 10 ** rng.uniform(-1.5, 0.3), size)
        steps, c = int(10 ** rng.uniform(1, 3.3)), float(rng.uniform(0.2, 1.9))
        inputs = {
            "richness": float(10 ** rng.uniform(-2, 1)),
            "relative_rate": c,
            "depth": int(rng.integers(0, 3)),
        }
        merged, full = (
            gradient_descent(steps, task, modes=kind, **inputs) for kind in ("merged", "full")
        )
        note = (task, steps, inputs)
        np.testing.assert_allclose(merged.test_loss, full.test_loss, 1e-9, err_msg=f"{note}")
        np.testing.assert_allclose(merged.scale, full.scale, 1e-9, err_msg=f"{note}")


def many_digits(steps, eigenvalues, signal, rate, richness):
    """Iterate two layers with ninety digits, of which sixty cancel; return the losses."""
    with mp.workdps(90):
        modes = [mp.mpf(float(x)) for x in eigenvalues]
        target = [mp.sqrt(mp.mpf(float(y)) / x) for x, y in zip(modes, signal, strict=True)]
        size, losses, eta, gamma = len(modes), [], mp.mpf(rate), mp.mpf(richness)
        w, first = mp.matrix(size, 1), mp.eye(size)
        for _ in range(steps + 1):
            error = mp.matrix(target) - first.T * w
            losses.append(mp.fsum(x * v**2 for x, v in zip(modes, error, strict=True)))
            push = mp.matrix([x * v for x, v in zip(modes, error, strict=True)])
            w, first = w + eta * (first * push), first + eta * gamma * (w * push.T)
        return losses


def test_descent_keeps_its_digits_however_far_the_loss_has_fallen():
    eigenvalues, signal = np.array([0.9, 0.7, 0.699, 0.4]), np.array([0.3, 0.2, 0.4, 0.1])
    exact = many_digits(160, eigenvalues, signal, 0.6, 0.5)
    found = gradient_descent(
        160, EmpiricalSpectrum(eigenvalues, signal), learning_rate=0.6, richness=0.5
    )
    assert exact[-1] < 1e-20
    for step in (1, 5, 20, 60, 160):
        assert off(found.test_loss[step], exact[step]) < 1e-9, step


def test_a_loss_of_merged_modes_that_was_off():
    """With these inputs it was 3.4e-6 off, and said 1e-9."""
    task = PowerLawSpectrum(1.15144961573997, 0.190369253879705, 200)
    inputs = {"richness": 2.08045077068194, "relative_rate": 1.27976693827407}
    merged, full = (
        gradient_descent(1500, task, modes=kind, **inputs) for kind in ("merged", "full")
    )
    np.testing.assert_allclose(merged.test_loss, full.test_loss, rtol=1e-9)


@effort(3, 40)
def test_merged_modes_of_marches(count):
    rng = np.random.default_rng(175)
    for _ in range(count):
        task = PowerLawSpectrum(rng.uniform(1.1, 3), 10 ** rng.uniform(-1, 0.4), 60)
        inputs = {
            "features": float(rng.choice([math.inf, 10 ** rng.uniform(1, 2)])),
            "learning_rate": float(rng.uniform(0.05, 0.2)),
            "richness": float(10 ** rng.uniform(-2, 0)),
            "initial_variance": float(rng.choice([0, 0.3])),
            "noise_variance": float(rng.choice([0, 0.1])),
        }
        size, steps = float(10 ** rng.uniform(1.3, 2.3)), int(rng.choice([5, 40, 100]))
        for march, data in ((online_dmft, "batch"), (reuse_dmft, "samples")):
            try:
                merged, full = (
                    march(steps, task, modes=kind, **inputs, **{data: size})
                    for kind in ("merged", "full")
                )
            except StabilityWarning:
                continue  # where nothing is promised
            for name in ("test_loss", "train_loss", "scale"):
                if hasattr(full, name):
                    values = (getattr(found, name) for found in (merged, full))
                    np.testing.assert_allclose(*values, rtol=1e-9, err_msg=f"{task, inputs}")


@effort(5, 100)
def test_the_circle_against_thirty_digits(count):
    """Eigenvalues of the kernel on a coarse grid as a sum, and the loss as a sum over harmonics."""
    rng = np.random.default_rng(176)
    for _ in range(count):
        q, grid = int(rng.integers(1, 4)), int(rng.choice([16, 30]))
        harmonics, bias = int(rng.integers(1, grid // 2)), float(rng.choice([0.3, 1.0, 4.0]))
        exponent = float(rng.uniform(0.6, 4))
        with mp.workdps(40):
            square = 1 + mp.mpf(bias) ** 2
            kernel = []
            for j in range(grid):
                angle = 2 * mp.asin(abs(mp.sin(mp.pi * j / grid)) / mp.sqrt(square))
                own, slope = arc(q, angle), arc(q - 1, angle)
                kernel.append(square**q / (2 * mp.pi) * (own + q * q * mp.cos(angle) * slope))
            rates = [
                mp.fsum(kernel[j] * mp.cos(2 * mp.pi * j * k / grid) for j in range(grid)) / grid
                for k in range(1, harmonics + 1)
            ]
            times = [float(x) for x in np.sort(10 ** rng.uniform(-2, 3, 4)) / float(rates[0])]
            losses = [
                mp.fsum(
                    mp.mpf(k) ** (-2 * mp.mpf(exponent)) / 4 * mp.exp(-2 * rate * mp.mpf(t))
                    for k, rate in enumerate(rates, 1)
                )
                for t in times
            ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = circle_flow(
                times,
                activation_power=q,
                target_exponent=exponent,
                bias=bias,
                harmonics=harmonics,
                grid=grid,
            )
        for value, error, exact in zip(found.train_loss, found.train_error, losses, strict=True):
            assert abs(mp.mpf(float(value)) - exact) <= error, (q, grid, bias, exponent)


def arc(q, angle):
    """Return the arc-cosine kernel J_q, as printed by Cho and Saul."""
    s, c, rest = mp.sin(angle), mp.cos(angle), mp.pi - angle
    return (
        rest,
        s + rest * c,
        3 * s * c + rest * (1 + 2 * c * c),
        15 * s - 11 * s**3 + rest * (9 * c + 6 * c**3),
    )[q]


@effort(1, 12)
def test_frontiers_by_other_budgets(count):
    """Sizes and exponents by searching again next to the budget."""
    rng = np.random.default_rng(174)
    for _ in range(count):
        task, richness = (
            PowerLawSpectrum(rng.uniform(1.2, 2), rng.uniform(0.3, 1)),
            float(10 ** rng.uniform(-1, 1)),
        )
        compute, step = 10 ** rng.uniform(4, 8), 0.05
        budgets = compute * np.exp(step * np.arange(-2, 3))
        found = compute_frontier(budgets, task, richness=richness)
        for name, sign, exponents in (
            ("loss", -1, found.loss_exponent),
            ("features", 1, found.features_exponent),
        ):
            log = np.log(getattr(found, name))
            slope = sign * (log[0] - 8 * log[1] + 8 * log[3] - log[4]) / (12 * step)
            tolerance = 1e-5 if name == "loss" else 1e-4
            assert abs(slope - exponents[2]) < tolerance, (task, richness, compute)
