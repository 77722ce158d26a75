r"""The perceptron with any convex loss: Newton's method on integrals over the cavity field.

In units of the scaled margin, :math:`x = \chi\lambda^2`, :math:`v = \lambda\omega` and
:math:`d = \mathrm{prox}_x(v) - v`,

.. math:: \lambda R = \alpha\sqrt{2/\pi}\; E_{\omega \sim N(0, s^2)}\,d, \qquad \lambda^2 s^2 = \alpha\, E_{\omega \sim p_\tau}\, d^2 .
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...arguments import Array
from ...errors import DomainError
from ...reprs import short_repr
from . import _max_stability, _observables
from ._losses import HINGE, ConvexLoss
from ._points import Points, overlap

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_ROOT = math.sqrt(2 / math.pi)
_REACH = 9.0
_LEVELS = 40  # of bisection
_CLOSE = 1e-12  # of the whole, to which a panel and its halves must agree
_QUADRATURE = 2e-12
_SOLVED = 1e-12
_MOST_STEPS = 40
_FIRST = 0.1  # norm from which a branch is continued
_LARGEST_STEP = math.log(2.0)
_SMALLEST_STEP = 0.02


@short_repr
@dataclass(frozen=True)
class Saddle:
    """A solved point of a branch, with how it moves along the branch."""

    log_norm: float
    log_tau: float
    log_x: float
    log_tau_slope: float
    log_x_slope: float
    residual: float
    sensitivity: float
    steps: int
    free: float
    train_loss: float

    @property
    def log_multiplier(self) -> float:
        """Logarithm of the multiplier; minus infinity where there is none left."""
        return math.log(self.free) - self.log_x if self.free > 0 else -math.inf


class Branch:
    """The solutions of one number of samples, continued along the norm."""

    def __init__(self, alpha: float, loss: ConvexLoss) -> None:
        self.alpha, self.loss = alpha, loss
        self.slope0 = float(-loss.values(np.zeros(1))[1][0])
        self.known: list[Saddle] = []

    def at(self, norm: float) -> Saddle | None:
        """Return the solution at a norm; None if Newton's method does not find it."""
        target = math.log(norm)
        if not self.known:
            first = self._solved(*self._hebb(min(norm, _FIRST)))
            if first is None:
                return None
            self.known.append(first)
        here = min(self.known, key=lambda point: abs(point.log_norm - target))
        step = _LARGEST_STEP
        while here.log_norm != target:
            if step < _SMALLEST_STEP:
                return None
            move = target - here.log_norm
            far = abs(move) > step
            log_norm = here.log_norm + math.copysign(step, move) if far else target
            moved = log_norm - here.log_norm
            found = self._solved(
                log_norm,
                here.log_tau + here.log_tau_slope * moved,
                here.log_x + here.log_x_slope * moved,
            )
            if found is None:
                step *= 0.5
                continue
            self.known.append(found)
            here = found
        return here

    def _hebb(self, norm: float) -> tuple[float, float, float]:
        tau = math.sqrt(2 * self.alpha / math.pi)
        r = tau / math.hypot(1.0, tau)
        x = norm * r / (self.alpha * _ROOT * self.slope0)
        return math.log(norm), math.log(tau), math.log(x)

    def _solved(self, log_norm: float, log_tau: float, log_x: float) -> Saddle | None:
        """Run Newton's method at one norm."""
        norm = math.exp(log_norm)
        log_drive = math.log(self.alpha * _ROOT)
        near = False
        for steps in range(_MOST_STEPS):
            if not (abs(log_tau) < 60 and abs(log_x) < 600):
                return None
            tau = math.exp(log_tau)
            r, s = tau / math.hypot(1.0, tau), 1 / math.hypot(1.0, tau)
            sums = _integrals(norm, tau, s, log_x, self.loss)
            e1, e1_x, e1_s, e2, e2_x, e2_tau, e2_norm, work, train = sums
            if not (e1 > 0 and e2 > 0):
                return None
            r1 = log_drive + math.log(e1) - log_norm - math.log(r)
            r2 = math.log(self.alpha * e2) - 2 * log_norm - 2 * math.log(s)
            jacobian = np.array(
                [[e1_x / e1, -r * r * e1_s / e1 - s * s], [e2_x / e2, e2_tau / e2 + 2 * r * r]]
            )
            worst = max(abs(r1), abs(r2))
            try:
                inverse = np.linalg.inv(jacobian)
            except np.linalg.LinAlgError:
                return None
            if near and worst < _SOLVED:
                along = -inverse @ [e1_s / e1 - 1, e2_norm / e2 - 2]
                return Saddle(
                    log_norm,
                    log_tau,
                    log_x,
                    float(along[1]),
                    float(along[0]),
                    worst,
                    float(np.abs(inverse[1]).sum()) * (worst + _QUADRATURE + self.loss.accuracy),
                    steps,
                    self.alpha * work / norm**2,
                    train,
                )
            step = -inverse @ [r1, r2]
            step /= max(1.0, float(np.max(np.abs(step))))
            log_x += float(step[0])
            log_tau += float(step[1])
            near = worst < 1e-6
        return None


def _integrals(norm: float, tau: float, s: float, log_x: float, loss: ConvexLoss) -> Array:
    """Return E1 and its derivatives in log x and log s; E2 and those in log x, log tau, log norm; E[d u]; E[V]."""
    from scipy.special import ndtr

    def integrand(omega: Array) -> Array:
        v = norm * omega
        d, kept, lost = loss.proximal(log_x, v)
        normal = np.exp(-0.5 * (omega / s) ** 2) / (s * math.sqrt(2 * math.pi))
        common = 2 / math.sqrt(2 * math.pi) * np.exp(-0.5 * omega**2)
        labeled = common * ndtr(tau * omega)
        # tau 2 phi(omega) phi(tau omega), whose product of Gaussians has the width s
        turned = tau * omega * common * np.exp(-0.5 * (tau * omega) ** 2) / math.sqrt(2 * math.pi)
        moved = -v * lost
        return np.array(
            [
                normal * d,
                normal * d * kept,
                normal * moved,
                labeled * d * d,
                labeled * 2 * d * d * kept,
                turned * d * d,
                labeled * 2 * d * moved,
                labeled * d * (v + d),
                labeled * loss.values(v + d)[0],
            ]
        )

    kinks = loss.kinks(math.exp(min(log_x, 600.0)))
    return adaptive(integrand, breakpoints(norm, s, kinks), -_REACH * s, _REACH)


def breakpoints(norm: float, s: float, kinks: tuple[float, ...] = ()) -> list[float]:
    """Return fields between which integrands bend: 0, the width, the loss's own scale, and all scales beyond, thrice each."""
    edges = [0.0, s, -s, 3 * s, -3 * s, *(kink / norm for kink in kinks)]
    for scale in (s, 1 / norm):
        # a tail that ends within the first panel's first node would not be seen
        while scale < _REACH:
            edges.append(scale)
            scale *= 3.0
    return edges


def adaptive(integrand: object, edges: list[float], low: float, high: float) -> Array:
    """Integrate a row of functions over panels that are halved until the halves change nothing."""
    inner = sorted({edge for edge in edges if low < edge < high})
    ends = np.array([low, *inner, high])
    a, b = ends[:-1], ends[1:]
    values = _panels(integrand, a, b)
    done = np.zeros(values.shape[0])
    size = np.zeros(values.shape[0])
    for _ in range(_LEVELS):
        middle = 0.5 * (a + b)
        left, right = _panels(integrand, a, middle), _panels(integrand, middle, b)
        halves = left + right
        size = np.maximum(size, np.abs(halves).sum(axis=1))
        rough = np.any(np.abs(halves - values) > _CLOSE * size[:, None], axis=0)
        done = done + halves[:, ~rough].sum(axis=1)
        if not np.any(rough):
            break
        a, b = np.append(a[rough], middle[rough]), np.append(middle[rough], b[rough])
        values = np.concatenate([left[:, rough], right[:, rough]], axis=1)
    else:
        done = done + values.sum(axis=1)
    return np.asarray(done)


def _panels(integrand: object, a: Array, b: Array) -> Array:
    half = 0.5 * (b - a)
    nodes = (0.5 * (a + b))[:, None] + half[:, None] * _NODES
    found = integrand(nodes.ravel())  # type: ignore[operator]
    return np.asarray(found.reshape(len(found), *nodes.shape) @ _WEIGHTS * half)


def solve(alpha: Array, norm: Array, loss: ConvexLoss) -> Points:
    """Solve points one after the other; those of equal alpha share a branch."""
    if loss is HINGE:
        _below_stability(alpha, norm)
    found = Points.unknown(alpha.size)
    branches: dict[float, Branch] = {}
    for i in sorted(range(alpha.size), key=lambda k: norm[k]):
        branch = branches.setdefault(float(alpha[i]), Branch(float(alpha[i]), loss))
        point = branch.at(float(norm[i]))
        if point is None:
            found.residual[i] = found.sensitivity[i] = math.inf
            found.steps[i] = _MOST_STEPS
            continue
        record(found, i, point, loss)
    return found


def _below_stability(alpha: Array, norm: Array) -> None:
    """Refuse norms at which the hinge loss can be zero: its minimum is then no longer one point."""
    top = np.exp(-_max_stability.solve(alpha)[:, _max_stability.LOG_KAPPA])
    if np.any(norm >= top):
        i = int(np.flatnonzero(norm >= top)[0])
        raise DomainError(
            f"norm = {norm[i]:g} must be below {top[i]:g} at alpha = {alpha[i]:g} with the hinge loss, "
            "one over the largest stability: from there on it vanishes",
            argument="norm",
            value=float(norm[i]),
        )


def record(found: Points, i: int, point: Saddle, loss: ConvexLoss) -> None:
    """Write what is known of a saddle point, and of what is measured there, into a row."""
    from scipy.special import ndtr

    norm, tau, x = math.exp(point.log_norm), math.exp(point.log_tau), math.exp(point.log_x)
    s = 1 / math.hypot(1.0, tau)
    r = float(overlap(np.array(tau)))
    pull = float(-loss.values(np.zeros(1))[1][0])

    def tested(omega: Array) -> Array:
        law = 2 / math.sqrt(2 * math.pi) * np.exp(-0.5 * omega**2) * ndtr(tau * omega)
        return np.array([law * loss.values(norm * omega)[0]])

    found.tau[i] = tau
    found.displacement[i] = loss.proximal(point.log_x, np.zeros(1))[0][0] / norm
    found.log_response[i] = point.log_x - 2 * point.log_norm
    found.train_loss[i] = point.train_loss
    found.train_error[i] = _observables.below(x * pull / norm, s, r)
    found.test_loss[i] = adaptive(
        tested, breakpoints(norm, s, loss.kinks(0.0)), -_REACH * s, _REACH
    )[0]
    found.multiplier[i] = point.free / x
    found.free_share[i] = point.free
    found.slope[i] = -point.log_tau_slope * tau / ((1 + tau**2) * math.atan2(1.0, tau))
    found.residual[i], found.steps[i] = point.residual, point.steps
    found.sensitivity[i] = point.sensitivity
