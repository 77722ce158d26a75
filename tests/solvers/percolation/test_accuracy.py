"""Stated accuracies of losses of clusters, allocations and distances, against thirty digits at random points.

The oracles share nothing with the solvers: explicit sums over ranks and counts, integral representations, plain recursions.
"""

import itertools
import math
import warnings

import mpmath as mp
import numpy as np
import pytest

from scalinglaws.errors import ExtrapolationWarning
from scalinglaws.solvers.percolation import (
    allocate,
    allocate_integer,
    crossover_data_loss,
    crossover_model_loss,
    data_loss,
    data_loss_expansion,
    mean_nearest_distance,
    nearest_distance,
    zipf_model_loss,
)


def effort(quick, large):
    """Return a parametrization: a few random points by default, many under ``slow``."""
    return pytest.mark.parametrize("count", [quick, pytest.param(large, marks=pytest.mark.slow)])


def off(found, exact):
    """Return the relative error against a number of many digits."""
    return float(abs(mp.mpf(float(found)) - exact) / abs(exact))


# -- the expansion in inverse powers of the number of samples -----------------------------------


def transform(s, beta):
    """Return M(s) from d^-beta = integral of u^(beta-1) e^(-du)/Gamma(beta), the pole at s = beta integrated apart."""
    near = mp.quad(
        lambda u: u ** (beta - 1) * ((-mp.expm1(-u)) ** -s - u**-s), [0, 1e-9, 1e-4, 0.1, 1]
    )
    far = mp.quad(lambda u: u ** (beta - 1) * ((-mp.expm1(-u)) ** -s - 1), [1, 4, 20, 90])
    return mp.gamma(s) * (1 + (near + 1 / (beta - s) - 1 / beta + far) / mp.gamma(beta))


def inverse_moments(beta, terms):
    """Return e_j of E d^-beta for Poisson counts, by Watson's lemma for the same integral in v = 1 - e^-u."""
    series = mp.taylor(
        lambda v: (-mp.log1p(-v) / v if v else mp.mpf(1)) ** (beta - 1) / (1 - v), 0, terms
    )
    return [a * mp.gamma(beta + j) / mp.gamma(beta) for j, a in enumerate(series)]


def expanded(samples, alpha, beta, terms):
    """Return the printed expansion."""
    with mp.workdps(40):
        a, b, p = mp.mpf(alpha), mp.mpf(beta), mp.mpf(samples)
        s, c = a / (1 + a), 1 / mp.zeta(1 + a)
        total = c ** (1 / (1 + a)) / (1 + a) * transform(s, b) * p**-s
        for j, e in enumerate(inverse_moments(b, terms)[:terms]):
            total += e * c ** (1 - b - j) * mp.zeta((1 + a) * (1 - b - j)) * p ** (-b - j)
        return total


@effort(4, 200)
def test_expansion_has_all_its_digits(count):
    rng = np.random.default_rng(161)
    for _ in range(count):
        alpha = 10 ** rng.uniform(-1, 0.7)
        s = alpha / (1 + alpha)
        distance = rng.choice([rng.uniform(-0.9, 2), 10 ** rng.uniform(-9, -1)])
        beta = s * (1 + float(distance))
        samples = float(round(10 ** rng.uniform(5, 11)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            found = data_loss_expansion(samples, alpha=alpha, exponent=beta, terms=2)
        exact = expanded(samples, alpha, beta, 2)
        assert off(found.loss, exact) < 1e-14, (alpha, beta, samples)


@effort(20, 1500)
def test_expansion_misses_the_loss_by_no_more_than_it_says(count):
    rng = np.random.default_rng(162)
    ratios = []
    for _ in range(count):
        alpha, beta = 10 ** rng.uniform(-1.3, 1.1), 10 ** rng.uniform(-1.5, 0.8)
        samples, terms = float(round(10 ** rng.uniform(1, 9))), int(rng.integers(1, 6))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            found = data_loss_expansion(samples, alpha=alpha, exponent=beta, terms=terms)
        exact = data_loss(samples, alpha=alpha, exponent=beta).loss
        error = found.diagnostics.error_estimate
        ratios.append(abs(found.loss - exact) / (error * abs(found.loss) + 1e-12 * exact))
        assert ratios[-1] <= 1, (alpha, beta, samples, terms)
    assert np.median(ratios) > 0.01  # of some use


# -- clusters below the threshold ---------------------------------------------------------------


class Subcritical:
    """Sizes of clusters, rank by rank, and sums over all of them."""

    def __init__(self, alpha, crossover, listed):
        self.t, self.crossover = 1 / (1 + mp.mpf(alpha)), mp.mpf(crossover)
        self.sizes, y = [], None
        for rank in range(1, listed + 1):
            y = self.log_size(rank, y)
            self.sizes.append(mp.exp(y))
        self.whole = mp.fsum(self.sizes) + self.beyond(listed)

    def log_size(self, rank, y=None):
        """Return log x with rank = k_xi t Gamma(-t, x), by Newton's method."""
        goal = mp.log(rank / self.crossover)
        y = -goal / self.t - 1 if y is None else y
        for _ in range(200):
            x = mp.exp(y)
            tail = self.t * mp.gammainc(-self.t, x)
            step = (mp.log(tail) - goal) * tail / (self.t * x**-self.t * mp.exp(-x))
            y += step
            if abs(step) < mp.mpf(10) ** (5 - mp.mp.dps):
                return y
        raise AssertionError(rank)

    def beyond(self, listed, power=1):
        """Return the sum of powers of sizes beyond the listed ranks, by the Euler-Maclaurin formula."""
        x, h, near = self.sizes[listed - 1], mp.mpf(1) / 64, (1, 2, 3, 4)
        values = {i: mp.exp(power * self.log_size(listed + h * i, mp.log(x))) for i in range(-4, 5)}
        rises = [values[i] - values[-i] for i in near]
        first = mp.fdot(rises, [mp.mpf(4) / 5, -mp.mpf(1) / 5, mp.mpf(4) / 105, -mp.mpf(1) / 280])
        third = mp.fdot(
            rises, [-mp.mpf(61) / 30, mp.mpf(169) / 120, -mp.mpf(3) / 10, mp.mpf(7) / 240]
        )
        integral = self.crossover * self.t * mp.gammainc(power - self.t, 0, x)
        return integral - values[0] / 2 - first / h / 12 + third / h**3 / 720


def lost(samples, chances, whole, beta):
    """Return 1 - E min(1, d^-beta) weighted by chances, count by count; chances beyond the list must not matter."""
    total = mp.mpf(0)
    for size in chances:
        p = size / whole
        odds, chance, gained = p / (1 - p), (1 - p) ** samples, mp.mpf(0)
        for d in range(1, samples + 1):
            chance *= odds * (samples - d + 1) / d
            if d > 1:
                gained += chance * (1 - mp.mpf(d) ** -beta)
            if d > samples * p and chance < mp.mpf(10) ** -28:
                break
        total += p * gained
    return 1 - total


@effort(1, 25)
def test_samples_below_the_threshold(count):
    rng = np.random.default_rng(163)
    for _ in range(count):
        alpha, beta = float(rng.uniform(1.3, 3)), mp.mpf(float(10 ** rng.uniform(-1, 0.5)))
        crossover, samples = 10 ** rng.uniform(0, 1.5), int(10 ** rng.uniform(0.3, 1.7))
        listed = int(60 * max(1, samples**0.5) * crossover**0.3)
        with mp.workdps(30):
            clusters = Subcritical(alpha, crossover, listed)
            exact = lost(samples, clusters.sizes, clusters.whole, beta)
            # of ranks beyond only pairs of samples count
            tail = clusters.beyond(listed, 3) / clusters.whole**3
            exact -= mp.binomial(samples, 2) * (1 - 2**-beta) * tail
            found = crossover_data_loss(
                samples, alpha=alpha, exponent=float(beta), crossover_rank=crossover
            )
            assert off(found, exact) < 1e-12, (alpha, float(beta), crossover, samples)


@effort(1, 25)
def test_allocation_below_the_threshold(count):
    rng = np.random.default_rng(164)
    for _ in range(count):
        alpha, beta = float(rng.uniform(0.3, 3)), float(10 ** rng.uniform(-1, 0.5))
        crossover, listed = 10 ** rng.uniform(0, 3.5), 900
        with mp.workdps(30):
            clusters = Subcritical(alpha, crossover, listed)
            b, power = mp.mpf(beta), 1 / (1 + mp.mpf(beta))
            roots, rests, s, learned = [], [], mp.mpf(0), mp.mpf(0)
            for size in clusters.sizes:
                s += size**power
                learned += size
                roots.append(s ** (1 + b))
                rests.append(clusters.whole - learned)
            for top in (30, 300, 500, 560, 850):
                n = float(roots[top] ** power / clusters.sizes[top] ** power * (1 + b) ** (1 / b))
                exact = (
                    min(
                        [
                            clusters.whole,
                            *(r * mp.mpf(n) ** -b + t for r, t in zip(roots, rests, strict=False)),
                        ]
                    )
                    / clusters.whole
                )
                found = crossover_model_loss(
                    n, alpha=alpha, exponent=beta, crossover_rank=crossover
                )
                assert off(found, exact) < 1e-12, (alpha, beta, crossover, n)


# -- distances on a tree ------------------------------------------------------------------------


def tails_of_distance(z, rate):
    """Yield Pr(d > r), r = 0, 1, ..., by the printed recursion."""
    p, free = 1 / mp.mpf(z - 1), 1 - mp.mpf(rate)
    q = [mp.mpf(1)]  # q_(r-1) at index r
    path = mp.mpf(1)
    while True:
        q.append(free * (1 - p + p * q[-1]) ** (z - 1))
        yield q[-1] * path
        path *= free * (1 - p + p * q[-2]) ** (z - 2)


@effort(5, 200)
def test_distances_to_training_sites(count):
    rng = np.random.default_rng(165)
    for _ in range(count):
        z = int(rng.choice([3, 4, 12, 2**10, 2**20]))
        rate = float(10 ** rng.uniform(-4 if count < 100 else -5, 0) * 0.999999)
        far, note = int(rng.integers(0, 3 + 20 / math.sqrt(rate))), (z, rate)
        with mp.workdps(40):
            first, second = mp.mpf(0), mp.mpf(0)
            for r, tail in enumerate(tails_of_distance(z, rate)):
                first += tail
                second += (2 * r + 1) * tail
                if r == far:
                    found = nearest_distance(r, density=rate, coordination=z)
                    lost = 1e-14 + 2e-16 * r - 1e-15 * float(mp.log(tail))
                    assert off(found, tail) < lost, (r, *note)
                if tail * (r + 1) < mp.mpf(10) ** -22 * first * math.sqrt(rate) and r >= far:
                    break
            for moment, exact in ((1, first), (2, second)):
                found = mean_nearest_distance(rate, coordination=z, moment=moment)
                assert off(found, exact) < 1e-15 + 2e-16 / math.sqrt(rate), (moment, *note)
            v, limit = mp.mpf(z - 2) / (z - 1), {"coordination": z, "law": "continuum"}
            x = far * mp.sqrt(mp.mpf(rate) * v / 2)
            found = nearest_distance(far, density=rate, **limit)
            assert off(found, mp.sech(x) ** 2) < 1e-14, (far, *note)
            mean, square = mp.sqrt(2 / (rate * v)), 4 * mp.log(2) / (rate * v)
            assert off(mean_nearest_distance(rate, **limit), mean) < 1e-15
            assert off(mean_nearest_distance(rate, moment=2, **limit), square) < 1e-15


# -- allocations --------------------------------------------------------------------------------


def best_split(n, alpha, beta, shifted):
    """Return the least loss over the number of ranks learned, a unimodal function, by bisection of its slope."""
    a, b = mp.mpf(alpha), mp.mpf(beta)
    power = (1 + a) / (1 + b)

    def beyond(m, x):  # mpmath's own sum from a number on loses its digits where that is large
        first = max(m, 60)
        total = mp.fsum(mp.mpf(k) ** -x for k in range(m + 1, first + 1))
        total += mp.mpf(first) ** (1 - x) / (x - 1) - mp.mpf(first) ** -x / 2
        for j in range(1, 25):
            total += (
                mp.bernoulli(2 * j)
                / mp.factorial(2 * j)
                * mp.rf(x, 2 * j - 1)
                * mp.mpf(first) ** (1 - x - 2 * j)
            )
        return total

    def harmonic(m, x):  # sum of k^-x up to m
        return mp.digamma(m + 1) + mp.euler if x == 1 else mp.zeta(x) - beyond(m, x)

    def loss(m):
        if m == 0:
            return mp.zeta(1 + a)
        s = harmonic(m, power)
        return s ** (1 + b) * (mp.mpf(n) + (m if shifted else 0)) ** -b + beyond(m, 1 + a)

    def worth(
        m,
    ):  # the shifted law's last share is positive; the hard law's sum over m ranks is less than over m - 1
        if shifted:
            return (n + m) * mp.mpf(m) ** -power > harmonic(m, power)
        return loss(m) < loss(m - 1)

    low, high = 0, 1
    while worth(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if worth(middle) else (low, middle)
    return loss(low)


@effort(5, 300)
def test_zipf_allocations(count):
    rng = np.random.default_rng(166)
    for _ in range(count):
        alpha, beta = (float(10 ** rng.uniform(-1, 1)) for _ in range(2))
        if rng.random() < 0.2:
            beta = alpha
        elif rng.random() < 0.3:
            beta = alpha * (1 + float(10 ** rng.uniform(-12, -3)))
        n, shifted = float(10 ** rng.uniform(-1, 13)), bool(rng.random() < 0.5)
        law = "shifted" if shifted else "hard"
        found = zipf_model_loss(n, alpha=alpha, exponent=beta, law=law)
        with mp.workdps(60):
            exact = best_split(n, alpha, beta, shifted)
        assert off(found.loss, exact) <= found.diagnostics.error_estimate, (alpha, beta, n)
        many = zipf_model_loss(n, alpha=alpha, exponent=beta, law=found.law, digits=25)
        with mp.workdps(60):
            assert abs(many.loss - exact) < mp.mpf(10) ** -24 * exact, (alpha, beta, n, shifted)


def left(law, x, beta):
    """Return what is left unlearned of a cluster of unit scale."""
    if law == "shifted":
        return (1 + x) ** -beta
    if law == "hard":
        return min(mp.mpf(1), x**-beta) if x else mp.mpf(1)
    y = 2 * mp.sqrt(x)
    return (y + mp.log1p(mp.exp(-2 * y)) - mp.ln2) / (2 * x) if x else mp.mpf(1)


def slope(law, x, beta):
    """Return by how much a small unit lowers it."""
    if law == "shifted":
        return beta * (1 + x) ** (-beta - 1)
    if law == "hard":
        return beta * x ** (-beta - 1)
    if x < mp.mpf(10) ** -25:
        return mp.mpf(2) / 3
    return left(law, x, beta) / x - mp.tanh(2 * mp.sqrt(x)) / (2 * x * mp.sqrt(x))


def bisected(decreasing, low, high):
    """Return the root of a decreasing function between powers of e, to the working precision."""
    while high - low > mp.mpf(10) ** (3 - mp.mp.dps):
        middle = (low + high) / 2
        low, high = (middle, high) if decreasing(mp.exp(middle)) > 0 else (low, middle)
    return mp.exp((low + high) / 2)


def optimum(law, weights, exponents, scales, n):
    """Return the least loss: by the slopes, for each choice of clusters that learn where the law is not convex."""
    columns = [[mp.mpf(float(x)) for x in column] for column in (weights, exponents, scales)]
    clusters, whole = list(zip(*columns, strict=True)), mp.fsum(columns[0])

    def share(cluster, level):
        w, b, m = cluster
        if law == "hard":
            return m * (w * b / (m * level)) ** (1 / (1 + b))
        if law == "shifted":
            return m * max(0, (w * b / (m * level)) ** (1 / (1 + b)) - 1)
        if w / m * 2 / 3 <= level:
            return mp.mpf(0)
        return m * bisected(lambda x: w / m * slope(law, x, b) - level, mp.mpf(-60), mp.mpf(60))

    chosen = itertools.chain(
        *(itertools.combinations(clusters, k) for k in range(1, len(clusters) + 1))
    )
    best = whole
    for some in chosen if law == "hard" else [clusters]:
        level = bisected(
            lambda y, some=some: mp.fsum(share(c, y) for c in some) - n, mp.mpf(-150), mp.mpf(90)
        )
        shares = [share(c, level) for c in some]
        learned = mp.fsum(
            w * (x / m) ** -b if law == "hard" else w * left(law, x / m, b)
            for (w, b, m), x in zip(some, shares, strict=True)
        )
        best = min(best, learned + whole - mp.fsum(c[0] for c in some))
    return best


@pytest.mark.parametrize("law", ["hard", "shifted", "tree"])
@effort(1, 150)
def test_allocations_and_their_bounds(count, law):
    rng = np.random.default_rng(167)
    for _ in range(count):
        size = int(rng.integers(1, 5))
        weights, scales = 10 ** rng.uniform(-4, 1, size), 10 ** rng.uniform(-1, 2, size)
        exponents = np.full(size, 0.5) if law == "tree" else 10 ** rng.uniform(-1, 1, size)
        if rng.random() < 0.4:
            exponents[:], scales[:] = exponents[0], scales[0]
        n = float(10 ** rng.uniform(-1, 6))
        given = 0.5 if law == "tree" else exponents
        alike = [exponents[0]] * size, [scales[0]] * size
        answers = (
            (allocate(weights, n, exponents=given, scales=scales, law=law), exponents, scales),
            (allocate(weights, n, exponents=alike[0][0], scales=alike[1][0], law=law), *alike),
        )
        note = (weights.tolist(), exponents.tolist(), scales.tolist(), n)
        with mp.workdps(20 if law == "tree" else 40):
            for answer, b, m in answers:
                best = optimum(law, weights, b, m, n)
                assert answer.bound <= best * (1 + mp.mpf("1e-14")), note
                assert answer.loss >= best * (1 - mp.mpf("1e-14")), note
                if law != "hard" or answer.bound == answer.loss:
                    assert off(answer.loss, best) < 1e-14, note
                if not answer.included:  # nothing can be learned
                    assert answer.loss == pytest.approx(weights.sum(), rel=1e-14)
                    continue
                assert math.fsum(answer.allocation) == pytest.approx(n, rel=1e-14), note
                rows = zip(weights, answer.allocation, b, m, strict=True)
                spent = mp.fsum(
                    mp.mpf(float(w))
                    * left(law, mp.mpf(float(x)) / mp.mpf(float(k)), mp.mpf(float(p)))
                    for w, x, p, k in rows
                )
                assert off(answer.loss, spent) < 1e-14, note


@pytest.mark.parametrize("law", ["hard", "shifted"])
@effort(3, 400)
def test_whole_allocations_and_their_bounds(count, law):
    rng = np.random.default_rng(168)
    for _ in range(count):
        size, n = int(rng.integers(1, 4)), int(rng.integers(1, 40))
        weights, scales = 10 ** rng.uniform(-3, 1, size), 10 ** rng.uniform(-1, 1, size)
        exponents = 10 ** rng.uniform(-1, 1, size)
        if rng.random() < 0.3:
            exponents[:], scales[:] = exponents[0], scales[0]
        found = allocate_integer(weights, n, exponents=exponents, scales=scales, law=law)
        with mp.workdps(30):
            rows = [
                [
                    mp.mpf(float(w)) * left(law, x / mp.mpf(float(m)), mp.mpf(float(b)))
                    for x in range(n + 1)
                ]
                for w, b, m in zip(weights, exponents, scales, strict=True)
            ]
            best = rows[0]
            for row in rows[1:]:
                best = [min(best[i] + row[k - i] for i in range(k + 1)) for k in range(n + 1)]
            best = best[n]
            spent = mp.fsum(row[int(x)] for row, x in zip(rows, found.allocation, strict=True))
            note = (weights.tolist(), exponents.tolist(), scales.tolist(), n)
            assert off(found.loss, spent) < 1e-14, note
            assert found.bound <= best * (1 + mp.mpf("1e-14")), note
            if law == "shifted":
                assert off(found.loss, best) < 1e-14, note
