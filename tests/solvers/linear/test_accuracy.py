"""Every accuracy that the solvers of the linear model state, against 30 and more digits at random points.

The oracles share nothing with the solvers: iterated recursions, explicit sums, and the equations as printed
on a contour with many nodes and digits. A quick sweep by default, a large one under the marker ``slow``.
"""

import cmath
import math
import warnings

import mpmath
import numpy as np
import pytest

from scalinglaws.errors import AccuracyWarning
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum
from scalinglaws.solvers.kernels import arc_cosine
from scalinglaws.solvers.linear import (
    degrees_of_freedom,
    effective_ridge,
    gradient_descent,
    gradient_flow,
    largest_eigenvalue,
    learnability,
    online_sgd,
    ridge,
    sgd_stability,
)

INF = math.inf
TINY = 1e-290  # below it numbers may lose digits


def mpf(x):
    """Return an exact copy."""
    return mpmath.mpf(float(x))


def inverse(size):
    """Return 1 / size, 0 for infinity."""
    return mpmath.mpf(0) if math.isinf(size) else 1 / mpf(size)


def effort(quick, large):
    """Return a parametrization: a few random spectra by default, many under ``slow``."""
    return pytest.mark.parametrize("count", [quick, pytest.param(large, marks=pytest.mark.slow)])


def spectra(rng, count, *, most=5, spans=(0.3, 1, 4, 8)):
    """Return random spectra: clustered, wide, and with equal modes."""
    for _ in range(count):
        size = int(rng.integers(1, most + 1))
        eigenvalues = 10 ** rng.uniform(-rng.choice(spans), 0, size)
        if rng.random() < 0.15:
            eigenvalues[:] = eigenvalues[0]
        yield eigenvalues, 10 ** rng.uniform(-3, 0, size)


def some_size(rng):
    """Return a number of features or samples."""
    return float(rng.choice([rng.integers(1, 9), rng.uniform(1, 30), 10 ** rng.uniform(0, 8)]))


def covered(found, error, expected, note, oracle=0.0):
    """Assert that an error estimate holds, but for the error of the oracle; return the relative error."""
    missed = abs(mpf(found) - expected)
    assert missed <= mpf(error) + mpf(1e-305) + mpf(oracle), (
        float(missed),
        error,
        float(expected),
        note,
    )
    return float(missed / expected) if expected > TINY else 0.0


# -- oracles ------------------------------------------------------------------------------------


def matrix_power_times(matrix, vector, steps):
    """Yield the vector after each number of steps, by repeated squaring."""
    powers, done = [matrix], 0
    for step in steps:
        left, bit = int(step) - done, 0
        while left >> bit:
            if len(powers) <= bit:
                powers.append(powers[-1] * powers[-1])
            if left >> bit & 1:
                vector = powers[bit] * vector
            bit += 1
        done = int(step)
        yield vector


def recursion(eigenvalues, signal, batch, rate, noise, steps):
    """Iterate the energies of all modes of online descent."""
    with mpmath.workdps(40):
        size, per_sample = len(signal), inverse(batch)
        x = [mpf(rate) * mpf(value) for value in eigenvalues]
        matrix = mpmath.matrix(size + 1)
        for i in range(size):
            for j in range(size):
                matrix[i, j] = x[i] ** 2 * per_sample
            matrix[i, i] += 1 - 2 * x[i] + x[i] ** 2 * (1 + per_sample)
            matrix[i, size] = x[i] ** 2 * per_sample * mpf(noise)
        matrix[size, size] = 1
        start = mpmath.matrix([*map(mpf, signal), 1])
        return [mpmath.fsum(energy[:size]) for energy in matrix_power_times(matrix, start, steps)]


def flow_sum(eigenvalues, signal, t):
    """Sum gradient flow without limits."""
    with mpmath.workdps(40):
        return mpmath.fsum(
            mpf(s) * mpmath.exp(-2 * mpf(x) * mpf(t))
            for x, s in zip(eigenvalues, signal, strict=True)
        )


def heavy_ball_sums(eigenvalues, signal, rate, momentum, steps):
    """Iterate heavy ball without limits, mode by mode."""
    with mpmath.workdps(90):
        totals, m = [mpmath.mpf(0)] * len(steps), mpf(momentum)
        for value, power in zip(eigenvalues, signal, strict=True):
            x = mpf(rate) * mpf(value)
            matrix = mpmath.matrix([[1 + m - x, -m], [1, 0]])
            # (p_1, p_0): one step fewer than asked for
            pairs = matrix_power_times(
                matrix, mpmath.matrix([1 - x, 1]), [step - 1 for step in steps]
            )
            totals = [
                total + mpf(power) * pair[0] ** 2 for total, pair in zip(totals, pairs, strict=True)
            ]
        return totals


def contour(t, count=44):
    """Return nodes and weights of the upper half of the cotangent contour, with many digits."""
    a, found = mpf(0.6407), []
    for j in range(count // 2):
        theta = mpmath.pi * (2 * j + 1) / count
        cot = mpmath.cot(a * theta)
        z = count * (mpf(0.5017) * theta * cot - mpf(0.6122) + mpmath.mpc(0, mpf(0.2645)) * theta)
        slope = mpf(0.5017) * (cot - a * theta / mpmath.sin(a * theta) ** 2) + mpmath.mpc(
            0, mpf(0.2645)
        )
        found.append((z / t, mpmath.exp(z) * slope / mpmath.mpc(0, 1) / t))
    return found


def kappas(eigenvalues, n, p, nodes):
    """Follow kappa from far up the imaginary axis in double precision, and refine it with many digits."""
    values, one, two = np.array(eigenvalues), float(inverse(n)), float(inverse(p))

    def refined(kappa, s, modes, one, two, times):
        for _ in range(times):
            shares = [x / (x + kappa) for x in modes]
            df1 = sum(shares)
            fall = sum(share / (x + kappa) for share, x in zip(shares, modes, strict=True))
            r1, r3 = 1 - df1 * two, 1 - df1 * one
            step = (kappa * r1 * r3 - s) / (r1 * r3 + kappa * fall * (one * r1 + two * r3))
            kappa -= step * min(1, 0.3 * abs(kappa) / abs(step)) if step else 0
        return kappa

    modes = [mpf(x) for x in eigenvalues]
    far = 1e4 * max(float(abs(nodes[0])), float(values.sum()) * (1 + one + two) * values.size)
    s, kappa, found = 1j * far, 1j * far, []
    for number, node in enumerate(nodes):
        ends = cmath.log(s), cmath.log(complex(node))
        parts = 200 if number == 0 else 12
        for part in range(1, parts + 1):
            s = cmath.exp(ends[0] + (ends[1] - ends[0]) * part / parts)
            kappa = refined(kappa, s, values.tolist(), one, two, 12)
        found.append(refined(mpmath.mpc(kappa), node, modes, inverse(n), inverse(p), 4))
        assert -1e-9 < cmath.phase(kappa) <= cmath.phase(s) + 1e-9
    return found


def limited_flow(eigenvalues, signal, n, p, noise, t, *, count=44, digits=36, rate=0):
    """Invert the printed equations of the train loss, and of the test loss for unlimited samples, at doubled time."""
    with mpmath.workdps(digits):
        lam, sig = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal]
        nodes, test, train = contour(2 * mpf(t), count), mpmath.mpf(0), mpmath.mpf(0)
        if rate:  # t steps of descent: z = exp(u), s = (z - 1) / eta
            nodes = [(mpmath.expm1(u) / mpf(rate), w * mpmath.exp(u) / mpf(rate)) for u, w in nodes]
        places = kappas(eigenvalues, n, p, [s for s, _ in nodes])
        for (s, weight), kappa in zip(nodes, places, strict=True):
            left = mpmath.fsum(y * kappa / (x + kappa) for x, y in zip(lam, sig, strict=True))
            unused = 1 - inverse(p) * mpmath.fsum(x / (x + kappa) for x in lam)
            test += 2 * (weight / s * left).real
            train += 2 * (weight / s * unused * (left + mpf(noise))).real
        return test, train


def limited_flow_pair(eigenvalues, signal, n, p, noise, t, *, decay=0):
    """Invert the printed equations of the test loss at two Laplace variables; weight decay shifts both."""
    with mpmath.workdps(32):
        lam, sig, noise = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal], mpf(noise)
        n_, p_ = inverse(n), inverse(p)
        upper = []
        nodes = [(s + mpf(decay), w * (s + mpf(decay)) / s) for s, w in contour(mpf(t), 32)]
        for (s, w), k in zip(nodes, kappas(eigenvalues, n, p, [s for s, _ in nodes]), strict=True):
            df1 = mpmath.fsum(x / (x + k) for x in lam)
            upper.append((s, w, k, 1 - df1 * p_, 1 - df1 * n_))
        total = mpmath.mpc(0)
        for s, w, k, r1, r3 in upper:
            for other in upper:
                for s2, w2, k2, q1, q3 in (other, tuple(mpmath.conj(x) for x in other)):
                    hh = [1 / (s + x * r1 * r3) / (s2 + x * q1 * q3) for x in lam]
                    gg = [1 / (x + k) / (x + k2) for x in lam]
                    s_1 = mpmath.fdot(sig, hh)
                    s_2 = mpmath.fsum(y * x * h for x, y, h in zip(lam, sig, hh, strict=True))
                    d_1, d_2 = mpmath.fdot(lam, gg), mpmath.fdot([x * x for x in lam], gg)
                    t_1 = d_1 / (r1 * q1 * r3 * q3)
                    a11, a12 = 1 - d_2 * p_, -t_1 * r3 * q3 * n_
                    a21, a22 = -s * s2 * t_1 * r1 * q1 * p_, 1 - d_2 * n_
                    one = s_1 + d_2 * p_ * noise / (s * s2)
                    two = r1 * q1 * (s_2 + t_1 * p_ * noise)
                    total += w * w2 * (a22 * one - a12 * two) / (a11 * a22 - a12 * a21)
        return 2 * total.real


def decayed_flow(eigenvalues, signal, n, p, noise, t, decay):
    """Invert the printed train loss and both Langevin terms with weight decay, at doubled time and at the time."""
    with mpmath.workdps(40):
        lam, sig, r = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal], mpf(decay)
        train = heat = warmth = mpmath.mpf(0)
        for doubled in (True, False):
            nodes = contour((1 + doubled) * mpf(t), 48)
            places = kappas(eigenvalues, n, p, [s + r for s, _ in nodes])
            for (s, w), kappa in zip(nodes, places, strict=True):
                left = mpmath.fsum(y * kappa / (x + kappa) for x, y in zip(lam, sig, strict=True))
                df1 = mpmath.fsum(x / (x + kappa) for x in lam)
                unused = 1 - inverse(p) * df1
                phi = unused * (left + mpf(noise))
                train += 2 * (w / s**2 * phi * (s + r if doubled else -2 * r)).real
                if doubled:
                    heat += 2 * (w / s * df1 / unused).real
                    warmth += 2 * (w / s * df1).real
        return train, heat, warmth


def limited_sgd(eigenvalues, signal, n, batch, rate, noise, steps):
    """Invert the printed z-transform of online descent with limited features."""
    with mpmath.workdps(36):
        lam, sig = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal]
        eta, per_sample = mpf(rate), inverse(batch)
        growth, nodes, total = 1 + per_sample, contour(mpf(steps)), mpmath.mpf(0)
        zs = [mpmath.exp(u) for u, _ in nodes]
        roots = [mpmath.sqrt(1 - growth * (1 - z)) for z in zs]
        low = [(root - 1) / (eta * growth) for root in roots]
        high = [mpmath.conj(-(1 + root) / (eta * growth)) for root in roots]
        near = kappas(eigenvalues, n, INF, low)
        far = [mpmath.conj(k) for k in kappas(eigenvalues, n, INF, high)]
        for (_, w), z, root, s, s2, k, k2 in zip(
            nodes, zs, roots, low, high, near, far, strict=True
        ):
            sums = []
            for place, kappa in ((s, k), (mpmath.conj(s2), k2)):
                shares = [1 / (x + kappa) for x in lam]
                sums.append(
                    (mpmath.fdot(sig, shares) * kappa / place, place * mpmath.fdot(lam, shares))
                )
            forcing = z * (sums[0][0] - sums[1][0]) / (2 * eta * root)
            kernel = eta * per_sample / (2 * root) * (sums[1][1] - sums[0][1])
            total += 2 * (w * (forcing + kernel * mpf(noise) * z / (z - 1)) / (1 - kernel)).real
        return total


def decayed_sgd(eigenvalues, signal, n, batch, rate, noise, decay, steps):
    """Invert the z-transform of online descent with weight decay, its divided differences as differences of many digits."""
    with mpmath.workdps(60):
        lam, sig = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal]
        eta, r, per_sample, total = mpf(rate), mpf(decay), inverse(batch), mpmath.mpf(0)
        growth, h, nodes = 1 + per_sample, mpf(rate) * mpf(decay), contour(mpf(steps), 48)
        zs = [mpmath.exp(u) for u, _ in nodes]
        roots = [mpmath.sqrt((1 - h) ** 2 - growth * ((1 - h) ** 2 - z)) for z in zs]
        near = [-(1 - h - root) / (eta * growth) for root in roots]
        far = [mpmath.conj(-(1 - h + root) / (eta * growth)) for root in roots]
        third = [(z - 1) / eta + r for z in zs]
        places = [
            near,
            [mpmath.conj(s) for s in far],
            third,
        ]
        found = [kappas(eigenvalues, n, INF, group) for group in (near, far, third)]
        found[1] = [mpmath.conj(k) for k in found[1]]
        for j, ((_, w), z, root) in enumerate(zip(nodes, zs, roots, strict=True)):
            s, k = [group[j] for group in places], [group[j] for group in found]
            m = [
                mpmath.fsum(y / (x + kappa) for x, y in zip(lam, sig, strict=True)) * kappa / place
                for place, kappa in zip(s, k, strict=True)
            ]
            m_k = [
                place * mpmath.fsum(x / (x + kappa) for x in lam)
                for place, kappa in zip(s, k, strict=True)
            ]
            pairs = [-(m[i] - m[2]) / (s[i] - s[2]) for i in (0, 1)]
            own = 1 - 2 * h - h * h / (z - 1)
            mixed = 2 * h * (z - 1 + h) / (z - 1) * z / eta
            forcing = z / (2 * eta * root) * (own * (m[0] - m[1]) + mixed * (pairs[0] - pairs[1]))
            kernel = eta * per_sample / (2 * root) * (m_k[1] - m_k[0])
            total += 2 * (w * (forcing + kernel * mpf(noise) * z / (z - 1)) / (1 - kernel)).real
        return total


def statics(eigenvalues, signal, n, p, strength, noise):
    """Evaluate the boxed formulas of regression at a kappa found by bisection."""
    lam, sig = [mpf(x) for x in eigenvalues], [mpf(x) for x in signal]
    n_, p_, r, noise = inverse(n), inverse(p), mpf(strength), mpf(noise)

    def df1(kappa):
        return mpmath.fsum(x / (x + kappa) for x in lam)

    def bisected(rises, low, high):
        while high - low > mpmath.mpf(10) ** (6 - mpmath.mp.dps) * max(1, abs(low)):
            middle = (low + high) / 2
            low, high = (low, middle) if rises(mpmath.exp(middle)) else (middle, high)
        return mpmath.exp((low + high) / 2)

    smallest, top = min(lam), mpmath.log(r + (n_ + p_) * mpmath.fsum(lam)) if n_ + p_ else 0
    unlearned, size = mpmath.mpf(0), min(n, p)
    if len(lam) > size:
        unlearned = bisected(lambda k: df1(k) < size, mpmath.log(smallest) - 60, top + 1)
    kappa = unlearned
    if math.isinf(size):
        kappa = r
    elif r > 0:
        start = mpmath.log(max(unlearned, r))
        kappa = bisected(lambda k: k * (1 - df1(k) * n_) * (1 - df1(k) * p_) > r, start, top)
    first = df1(kappa)
    second = mpmath.fsum((x / (x + kappa)) ** 2 for x in lam)
    b1 = mpmath.fsum(y * (kappa / (x + kappa)) ** 2 for x, y in zip(lam, sig, strict=True))
    b2 = mpmath.fsum(y * x * kappa / (x + kappa) ** 2 for x, y in zip(lam, sig, strict=True))
    d = first - second
    g = n_ / (1 - second * n_)
    total = (noise + b1 + d * g * b2) / (1 - second * p_ - d * d * g * p_)
    same = (noise + b1) / (1 - second * p_) - noise
    unused = mpmath.mpf(0) if r == 0 and kappa > 0 and p < n else 1 - first * p_
    return {
        "kappa": kappa,
        "degrees_of_freedom": first,
        "degrees_of_freedom_2": second,
        "test_loss": total - noise,
        "train_loss": unused**2 * total,
        "bias": b1,
        "variance_samples": same - b1,
        "variance_features": d * g * b2,
        "variance_interaction": total - noise - same - d * g * b2,
    }


# -- reference values ---------------------------------------------------------------------------


def test_reference_values_far_down(reference):
    table = reference("linear")["tails"]
    spectrum = EmpiricalSpectrum(table["eigenvalues"], table["signal"])
    steps, losses = np.transpose(table["sgd"])
    found = online_sgd(steps, spectrum, batch=1, learning_rate=0.1)
    np.testing.assert_allclose(found.test_loss, losses, rtol=1e-12)
    times, losses = np.transpose(table["flow"])
    flow = gradient_flow(times, spectrum)
    np.testing.assert_allclose(flow.test_loss, losses, rtol=1e-13)
    assert np.all(np.abs(flow.test_loss - losses) <= flow.test_error)
    steps, losses = np.transpose(table["descent"])
    descent = gradient_descent(steps, spectrum, learning_rate=1.0)
    np.testing.assert_allclose(descent.test_loss, losses, rtol=1e-13)
    assert np.all(np.abs(descent.test_loss - losses) <= descent.test_error)


# -- sweeps: training without limits, resolved relative to the loss ----------------------------


@effort(30, 1250)
def test_online_descent_however_far_the_loss_has_fallen(count):
    rng = np.random.default_rng(16)
    for eigenvalues, signal in spectra(rng, count):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        batch = rng.choice([1, 2, 7, 100, 1e4, 1e9, INF])
        noise = rng.choice([0, 0, 1e-12, 0.1])
        bound = sgd_stability(spectrum, batch=batch, learning_rate=1.0).max_learning_rate
        part = rng.choice([rng.uniform(0.01, 0.98), 10 ** rng.uniform(-6, -0.01), 1 - 1e-4])
        steps = np.unique(np.floor(10 ** rng.uniform(0, 8, 8)))
        inputs = {"batch": batch, "learning_rate": part * bound, "noise_variance": noise}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = online_sgd(steps, spectrum, **inputs)
        expected = recursion(eigenvalues, signal, *inputs.values(), steps)
        norm = sgd_stability(spectrum, **dict(list(inputs.items())[:2])).kernel_norm
        for row in zip(found.test_loss, found.test_error, expected, steps, strict=True):
            missed = covered(*row[:3], (row[3], eigenvalues.tolist(), signal.tolist(), inputs))
            assert missed < 1e-11 / (1 - norm), (row, inputs)


@effort(40, 1700)
def test_flow_and_descent_without_limits(count):
    rng = np.random.default_rng(17)
    for eigenvalues, signal in spectra(rng, count):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        times = np.sort(10 ** rng.uniform(-2, 3, 6) / eigenvalues.min())
        flow = gradient_flow(times, spectrum)
        for t, loss, error in zip(times, flow.test_loss, flow.test_error, strict=True):
            expected = flow_sum(eigenvalues, signal, t)
            assert covered(loss, error, expected, (t, eigenvalues)) < 3e-13
        momentum = float(rng.choice([0, rng.uniform(0, 1), 1 - 10 ** rng.uniform(-6, 0)]))
        bound = 2 * (1 + momentum) / eigenvalues.max()
        part = rng.choice([rng.uniform(0.01, 0.99), 0.999 * 10 ** rng.uniform(-4, 0), 1 - 1e-6])
        rate = part * bound
        if momentum and rng.random() < 0.3:  # close to a double root
            close = (1 - math.sqrt(momentum)) ** 2 / rng.choice(eigenvalues)
            rate = min(rate, close * (1 + rng.choice([0, 1e-3, -1e-3, 1e-9, 1e-14])))
        steps = np.unique(np.floor(10 ** rng.uniform(0, 7, 6)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = gradient_descent(steps, spectrum, learning_rate=rate, momentum=momentum)
        expected = heavy_ball_sums(eigenvalues, signal, rate, momentum, steps)
        for row in zip(found.test_loss, found.test_error, expected, steps, strict=True):
            missed = covered(*row[:3], (row[3], eigenvalues.tolist(), rate, momentum))
            assert momentum or missed < 1e-12


# -- sweeps: limited features and samples ----------------------


@effort(10, 1000)
def test_flow_with_limits(count):
    rng = np.random.default_rng(18)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 3)):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        n, p = some_size(rng), float(rng.choice([INF, some_size(rng)]))
        noise, t = rng.choice([0, 1e-6, 0.3]), 10 ** rng.uniform(-2, 2) / eigenvalues.min()
        found = gradient_flow(t, spectrum, features=n, samples=p, noise_variance=noise)
        test, train = limited_flow(eigenvalues, signal, n, p, noise, t)
        note = (t, eigenvalues.tolist(), signal.tolist(), n, p, noise)
        start = signal.sum() + noise
        if math.isinf(p):
            covered(found.test_loss, found.test_error, test, note, 1e-23 * start)
            train = test + mpf(noise)
        covered(found.train_loss, found.train_error, train, note, 1e-23 * start)


@effort(10, 1000)
def test_flow_and_descent_with_limits_far_down(count):
    """Where every mode is learned, or samples are few, losses fall exponentially: they are resolved down to 1e-40."""
    rng = np.random.default_rng(25)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 2)):
        spectrum, size = EmpiricalSpectrum(eigenvalues, signal), eigenvalues.size
        n = max(size * rng.choice([rng.uniform(1.1, 4), 10 ** rng.uniform(0.1, 6)]), 1.1)
        parts = [INF, size * rng.uniform(1.1, 4), max(1.0, size * rng.uniform(0.3, 0.9))]
        p = float(rng.choice(parts))
        noise, steps = rng.choice([0, 0.3]), 10 ** rng.uniform(1, 2.5)
        rate = rng.choice([0.2, 0.9]) / largest_eigenvalue(spectrum, features=n, samples=p)
        sizes = {"features": n, "samples": p, "noise_variance": noise}
        with warnings.catch_warnings():
            warnings.simplefilter("error", AccuracyWarning)
            t = steps / eigenvalues.min()
            flow = gradient_flow(t, spectrum, **sizes)
            count_ = math.ceil(steps / (rate * eigenvalues.min()))
            descent = gradient_descent(count_, spectrum, learning_rate=rate, **sizes)
        start = signal.sum() + noise
        for found, time, step in ((flow, t, 0), (descent, count_, rate)):
            inputs = (eigenvalues, signal, n, p, noise, time)
            test, train = limited_flow(*inputs, count=90, digits=70, rate=step)
            if math.isinf(p):
                train = test + mpf(noise)
                covered(found.test_loss, found.test_error, test, inputs, 1e-50 * start)
                assert test < 1e-40 * start or found.test_error < 1e-8 * found.test_loss
            covered(found.train_loss, found.train_error, train, inputs, 1e-50 * start)
            assert train < 1e-40 * start or found.train_error < 1e-8 * found.train_loss


@effort(2, 60)
def test_test_loss_of_flow_with_limited_features_and_samples(count):
    rng = np.random.default_rng(19)
    for eigenvalues, signal in spectra(rng, count, most=3, spans=(0.3, 1, 3)):
        n, p, noise = some_size(rng), some_size(rng), rng.choice([0, 0.3])
        t = 10 ** rng.uniform(-2, 2) / eigenvalues.min()
        found = gradient_flow(
            t, EmpiricalSpectrum(eigenvalues, signal), features=n, samples=p, noise_variance=noise
        )
        expected = limited_flow_pair(eigenvalues, signal, n, p, noise, t)
        note = (t, eigenvalues.tolist(), signal.tolist(), n, p, noise)
        covered(found.test_loss, found.test_error, expected, note, 1e-16 * (signal.sum() + noise))


@effort(3, 100)
def test_flow_with_weight_decay(count):
    rng = np.random.default_rng(61)
    for eigenvalues, signal in spectra(rng, count, most=3, spans=(0.3, 1, 3)):
        n, p, noise = some_size(rng), some_size(rng), rng.choice([0, 0.3])
        t = 10 ** rng.uniform(-2, 2) / eigenvalues.min()
        decay = 10 ** rng.uniform(-2, 2) / t
        found = gradient_flow(
            t,
            EmpiricalSpectrum(eigenvalues, signal),
            features=n,
            samples=p,
            noise_variance=noise,
            weight_decay=decay,
            temperature=1.0,
        )
        test = limited_flow_pair(eigenvalues, signal, n, p, noise, t, decay=decay)
        train, heat, warmth = decayed_flow(eigenvalues, signal, n, p, noise, t, decay)
        note = (t, eigenvalues.tolist(), signal.tolist(), n, p, noise, decay)
        start = signal.sum() + noise
        covered(found.test_loss, found.test_error, test, note, 1e-16 * start)
        covered(found.train_loss, found.train_error, train, note, 1e-20 * start)
        assert found.test_error < 1e-11 * (found.test_loss + 1e-2 * start), note
        assert found.train_error < 1e-11 * (found.train_loss + 1e-2 * start), note
        assert abs(found.langevin_test / heat - 1) < 1e-11, note
        assert abs(found.langevin_train / warmth - 1) < 1e-11, note


@effort(8, 1000)
def test_online_descent_with_limited_features(count):
    rng = np.random.default_rng(20)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 3)):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        n, batch = some_size(rng), rng.choice([1, 2, 7, 100, 1e4, 1e9, INF])
        noise = rng.choice([0, 1e-6, 0.3])
        inputs = {"features": n, "batch": batch}
        bound = sgd_stability(spectrum, **inputs, learning_rate=1.0).max_learning_rate
        rate = bound * rng.choice([rng.uniform(0.01, 0.98), 10 ** rng.uniform(-6, 0) * 0.99])
        late = min(1, rate * eigenvalues.min()) ** -rng.uniform(0, 1)
        steps = math.floor(10 ** rng.uniform(1.1, 2.5) * late)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = online_sgd(steps, spectrum, **inputs, learning_rate=rate, noise_variance=noise)
        expected = limited_sgd(eigenvalues, signal, n, batch, rate, noise, steps)
        note = (steps, eigenvalues.tolist(), signal.tolist(), inputs, rate, noise)
        covered(found.test_loss, found.test_error, expected, note, 1e-23 * (signal.sum() + noise))


@effort(4, 300)
def test_online_descent_with_weight_decay(count):
    rng = np.random.default_rng(62)
    for eigenvalues, signal in spectra(rng, count, most=4, spans=(0.3, 1, 3)):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        n, batch = some_size(rng), rng.choice([1, 2, 7, 100, 1e4, 1e9, INF])
        noise = rng.choice([0, 1e-6, 0.3])
        inputs = {"features": n, "batch": batch}
        bound = sgd_stability(spectrum, **inputs, learning_rate=1.0).max_learning_rate
        rate = bound * rng.uniform(0.01, 0.3)
        steps = math.floor(10 ** rng.uniform(1.1, 3))
        decay = 10 ** rng.uniform(-1, 1) / (rate * steps)
        found = online_sgd(
            steps,
            spectrum,
            **inputs,
            learning_rate=rate,
            noise_variance=noise,
            weight_decay=decay,
        )
        expected = decayed_sgd(eigenvalues, signal, n, batch, rate, noise, decay, steps)
        note = (steps, eigenvalues.tolist(), signal.tolist(), inputs, rate, noise, decay)
        covered(found.test_loss, found.test_error, expected, note, 1e-20 * (signal.sum() + noise))
        assert found.test_error < 1e-11 * found.test_loss + 1e-12 * (signal.sum() + noise), note


# -- sweeps: statics, sums, kernels -------------------------------------------------------------


@effort(15, 2000)
def test_regression_and_its_pieces(count):
    rng = np.random.default_rng(21)
    for eigenvalues, signal in spectra(rng, count, spans=(0.3, 1, 4, 10)):
        modes = eigenvalues.size
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        near = modes * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-8, -1))
        n, p = (float(max(rng.choice([INF, some_size(rng), near]), 1.0)) for _ in range(2))
        strength = float(rng.choice([0, 10 ** rng.uniform(-14, 2), 10 ** rng.uniform(-30, 0)]))
        noise = float(rng.choice([0, 1e-6, 0.3]))
        if strength == 0 and (n == p or min(n, p) == modes):
            continue  # losses are infinite, or nothing is left
        sizes = {"features": n, "samples": p, "ridge": strength}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            found = ridge(spectrum, **sizes, noise_variance=noise)
            learned = learnability(1, spectrum, **sizes)
            kappa = effective_ridge(spectrum, **sizes)
        error = found.diagnostics.error_estimate
        with mpmath.workdps(150):
            expected = statics(eigenvalues, signal, n, p, strength, noise)
            for name, value in expected.items():
                note = (name, eigenvalues.tolist(), signal.tolist(), sizes, noise)
                gone = abs(value) < mpf(1e-60)  # of differences of the oracle
                missed = abs(mpf(getattr(found, name)) - value)
                assert missed <= mpf(error) * abs(value) + (mpf(1e-60) if gone else 0), note
            exact = 1 / (1 + expected["kappa"] / mpf(eigenvalues[0]))
            assert abs(learned - exact) <= 1e-14 * exact
            assert kappa == found.kappa


@effort(15, 1000)
def test_degrees_of_freedom_of_merged_power_laws(count):
    rng = np.random.default_rng(22)
    for _ in range(count):
        alpha, size = rng.uniform(0.3, 4), int(10 ** rng.uniform(0, 3))
        kappa = 10 ** rng.uniform(-3, 1) * 10 ** (-alpha * rng.uniform(0, 3))
        found = degrees_of_freedom(kappa, PowerLawSpectrum(alpha, 1.0, size))
        with mpmath.workdps(30):
            learned = [1 / (1 + mpf(kappa) * mpf(k) ** mpf(alpha)) for k in range(1, size + 1)]
            for value, power in ((found.df1, 1), (found.df2, 2)):
                exact = mpmath.fsum(share**power for share in learned)
                assert abs(value - exact) <= 1e-12 * exact, (alpha, size, kappa)


@effort(15, 500)
def test_edges_and_kernel_norms(count):
    rng = np.random.default_rng(23)
    for eigenvalues, signal in spectra(rng, count):
        spectrum = EmpiricalSpectrum(eigenvalues, signal)
        n, p = some_size(rng), float(rng.choice([INF, some_size(rng)]))
        lam = [mpf(x) for x in eigenvalues]
        first = max(lam)
        with mpmath.workdps(50):

            def below(y):  # sum over modes at u = first (1 + exp y)
                return mpmath.fsum(x / ((first - x) + first * mpmath.exp(y)) for x in lam)  # noqa: B023

            def image(y):
                u, d = first * (1 + mpmath.exp(y)), below(y)  # noqa: B023
                return u * (1 + d * inverse(n)) * (1 + d * inverse(p))  # noqa: B023

            low, high = mpmath.mpf(-60), mpmath.log(8 * len(lam) + 8)
            while high - low > mpmath.mpf(10) ** -24:
                one, two = low + 0.4 * (high - low), low + 0.6 * (high - low)
                low, high = (low, two) if image(one) < image(two) else (one, high)
            found = largest_eigenvalue(spectrum, features=n, samples=p)
            assert abs(found - image(low)) <= 1e-12 * image(low)
        batch = rng.choice([1, 3, 100, 1e6])
        bound = sgd_stability(spectrum, batch=batch, learning_rate=1.0).max_learning_rate
        slack = 10 ** rng.uniform(-8, -0.01)
        rate = bound * (1 - slack)
        with mpmath.workdps(40):
            x = [mpf(rate) * value for value in lam]
            exact = mpmath.fsum(v / (2 - v * (1 + 1 / mpf(batch))) for v in x) / mpf(batch)
        norm = sgd_stability(spectrum, batch=batch, learning_rate=rate).kernel_norm
        assert abs(norm - exact) <= (1e-12 + 4e-15 / slack) * exact


def test_arc_cosine_kernels():
    rng = np.random.default_rng(24)
    near = 10 ** rng.uniform(-8, 0, 100)
    for angle in [*rng.uniform(0, math.pi, 100), *near, *(math.pi - near)]:
        with mpmath.workdps(40):
            rest, c, s = mpmath.pi - mpf(angle), mpmath.cos(mpf(angle)), mpmath.sin(mpf(angle))
            exact = (
                rest,
                s + rest * c,
                3 * s * c + rest * (1 + 2 * c**2),
                4 * s**3 + 15 * s * c**2 + rest * (9 * s**2 * c + 15 * c**3),
            )
            for power, value in enumerate(exact):
                scale = (1, 1, 3, 15)[power] * mpmath.pi
                assert abs(arc_cosine(angle, power) - value) <= 2e-15 * scale
