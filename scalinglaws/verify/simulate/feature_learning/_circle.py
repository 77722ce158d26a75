"""A two-layer network that is not linear, trained on the circle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, generator, number, whole
from ....errors import ConvergenceError, ResourceError, refusal
from ....solvers._jit import njit
from .._problems import table
from ._flow import finite_times
from ._records import SimulatedCircle

Array = NDArray[np.float64]

_MOST_WORK = 6e9  # neurons times steps in one draw: about ten minutes
_DIVERGED, _TOO_LONG = 1, 2


def circle_network(
    t: ArrayLike,
    *,
    neurons: int,
    samples: int,
    richness: float,
    target_exponent: float,
    harmonics: int = 1024,
    bias: float = 1.0,
    learning_rate: float | None = None,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedCircle:
    r"""Train two-layer networks of rectified linear units on a sum of harmonics of an angle.

    Inputs are :math:`x_p = (\cos\theta_p, \sin\theta_p, b)` at P equidistant angles, the target is
    :math:`y = \sum_{k=1}^K k^{-q_y}\cos k\theta`. The network, in the mean-field parameterization with richness :math:`\gamma`,

    .. math:: f(x) = \frac{1}{\gamma N} \sum_{i=1}^N a_i\, (w_i\cdot x)_+ , \qquad
              \frac{d(a, w)}{dt} = -\gamma^2 N\, \nabla L, \qquad L = \frac{1}{2P} \sum_p (f(x_p) - y_p)^2,

    starts at standard normal weights, in pairs of equal w and opposite a, so that f = 0. Steps are those of gradient descent.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing. As :math:`\gamma\to 0`, harmonic k is learned at the rate of its eigenvalue of the
        tangent kernel.
    neurons : int
        N, even.
    samples : int
        P, more than twice `harmonics`.
    richness : float
        :math:`\gamma`, between 1e-8 and 1e4; lazy below some 1e-3. Rounding errors of f are about :math:`10^{-15}/\gamma`.
    target_exponent : float
        :math:`q_y`; source :math:`\beta = q_y - 1/2`, capacity :math:`\alpha = 2`.
    harmonics : int
        K.
    bias : float
        Input bias b, finite, >= 0; without it odd harmonics k >= 3 are not learned while the network is lazy.
    learning_rate : float, optional
        Time per step at the start, by default :math:`1/(1 + b^2)`: with the largest eigenvalue of the initial kernel it makes less
        than 1, where descent would be unstable from 2. As weights grow, steps shrink like one over their mean square, and the
        last step before a requested time ends there.
    draws : int
        Independent repetitions. Draw i is the same however many are asked for.
    rng : Generator or int
        Source of randomness; each draw takes a stream spawned from it.

    Returns
    -------
    SimulatedCircle
        Test and train loss (with the factor 1/2) and mean squared weight over its start, shape (draws, T), or (draws,) for a
        single time.

    Raises
    ------
    DomainError
        If an argument is out of range, or times decrease or are infinite.
    ResourceError
        If one draw would take more than about ten minutes.
    ConvergenceError
        If descent diverges.

    Notes
    -----
    A neuron is active on one arc of the circle, where it is a combination of 1, :math:`\cos\theta` and :math:`\sin\theta`: gradients
    are differences of prefix sums of the residual times these three, and outputs are sums of jumps at the ends of arcs. A step
    costs O(N + P), and equals the dense computation up to rounding: 0.2 to 0.8 ms at N = 6000, P = 4096.
    The test loss is taken halfway between samples. Time is that of gradient descent: its deviations from gradient flow are
    of the order of `learning_rate` over t.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858,
       the experiments on the circle.

    Examples
    --------
    >>> task = {"neurons": 400, "samples": 128, "target_exponent": 1.0, "harmonics": 32}
    >>> lazy, rich = (circle_network(20, richness=gamma, **task) for gamma in (1e-3, 4))
    >>> rich.train_loss < lazy.train_loss
    array([ True])
    """
    times = finite_times(t)
    neurons, samples, harmonics, draws = (
        whole(name, value)
        for name, value in (
            ("neurons", neurons),
            ("samples", samples),
            ("harmonics", harmonics),
            ("draws", draws),
        )
    )
    if neurons % 2:
        raise refusal("neurons", neurons, "must be even: they start in pairs that cancel")
    if samples <= 2 * harmonics:
        raise refusal(
            "samples",
            samples,
            f"must be more than twice the number of harmonics, {harmonics}: fewer do not tell "
            "them apart",
        )
    richness, target_exponent, bias = (
        number("richness", richness, low=1e-8, high=1e4),
        number("target_exponent", target_exponent, low=0),
        number("bias", bias, low=0),
    )
    rate = (
        1 / (1 + bias**2)
        if learning_rate is None
        else number("learning_rate", learning_rate, low=0, strict=True)
    )
    flat = times.reshape(-1)
    entries = 8.0 * neurons + 12.0 * samples + 3.0 * flat.size
    afford(entries, "one draw", "use fewer neurons, samples or times")
    most = _MOST_WORK / (neurons + samples)
    if flat[-1] / rate > most:
        raise ResourceError(
            f"t = {flat[-1]:.3g} takes at least {flat[-1] / rate:.1e} steps of {neurons} neurons and {samples} samples, too many; "
            "end earlier, or use fewer of both"
        )
    task = _Task(samples, harmonics, target_exponent, bias, float(richness))
    source = generator(rng)
    found = table(3, draws, flat.size)
    for i in range(draws):
        half = source.spawn(1)[0].standard_normal((4, neurons // 2))
        found[:, i] = task.train(flat, _mirrored(half), rate, int(most))
    return SimulatedCircle(*found.reshape(3, draws, *times.shape))


def _mirrored(half: Array) -> Array:
    """Return weights u, v, c of the first layer and a of the second, each with its opposite in the output, shape (N, 4)."""
    return np.concatenate([half.T, half.T * np.array([1.0, 1.0, 1.0, -1.0])])


class _Task:
    """Samples and target, and a network's loss on them."""

    def __init__(
        self, samples: int, harmonics: int, exponent: float, bias: float, richness: float
    ) -> None:
        angles = 2 * math.pi / samples * np.arange(samples)
        self.circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self.turn = math.pi / samples  # from a sample halfway to the next one
        self.bias, self.richness = bias, richness
        k = np.arange(1, harmonics + 1)
        lines = np.zeros(samples // 2 + 1, complex)
        lines[1 : harmonics + 1] = 0.5 * samples * k**-exponent
        self.target = np.fft.irfft(lines, samples)
        lines[1 : harmonics + 1] *= np.exp(1j * k * self.turn)
        self.between = np.fft.irfft(lines, samples)

    def train(self, times: Array, weights: Array, rate: float, most: int) -> Array:
        """Return test loss, train loss and growth of the weights at all times, shape (3, T); `weights` end up trained."""
        found = np.empty((3, times.size))
        square, now, steps = float(np.sum(weights**2)), 0.0, 0
        arcs = np.zeros((weights.shape[0], 2), np.int64)
        with np.errstate(all="ignore"):
            for j, time in enumerate(times.tolist()):
                if time > now:
                    outcome, taken = _descend(
                        time - now,
                        weights,
                        arcs,
                        self.circle,
                        self.target,
                        self.bias,
                        self.richness,
                        rate,
                        square,
                        most - steps,
                    )
                    now, steps = time, steps + taken
                    if outcome == _TOO_LONG:
                        raise ResourceError(
                            f"training was given up before t = {time:.3g}: steps shrink as weights grow; end earlier"
                        )
                    if outcome == _DIVERGED:
                        raise ConvergenceError(
                            f"descent diverged before t = {time:.3g}; lower the learning rate, here {rate:g}"
                        )
                found[:, j] = (
                    self.loss(weights, turned=True),
                    self.loss(weights),
                    np.sum(weights**2) / square,
                )
        return found

    def loss(self, weights: Array, *, turned: bool = False) -> float:
        """Return half the mean squared error, on the samples or halfway between them."""
        seen = weights.copy(order="K")  # in another order kernels would be compiled once more
        if turned:
            c, s = math.cos(self.turn), math.sin(self.turn)
            seen[:, 0], seen[:, 1] = (
                c * weights[:, 0] + s * weights[:, 1],
                c * weights[:, 1] - s * weights[:, 0],
            )
        residual = _errors(
            seen, self.circle, self.between if turned else self.target, self.bias, self.richness
        )
        return float(0.5 * np.mean(residual**2))


def _errors(weights: Array, circle: Array, target: Array, bias: float, richness: float) -> Array:
    """Return f - y at all samples."""
    count = circle.shape[0]
    jumps, sums = np.zeros((count + 1, 3)), np.zeros((count + 1, 4))
    arcs = np.zeros((weights.shape[0], 2), np.int64)
    _deposit(weights, arcs, circle, bias, richness, jumps)
    _residual(jumps, circle, target, sums)
    return sums[1:, 3]


@njit
def _arc(
    u: float, v: float, lift: float, circle: Array, first: int, length: int
) -> tuple[int, int]:
    """Return the first sample with u cos + v sin + lift > 0 and the number of those that follow, given a guess of both."""
    count = circle.shape[0]
    if 0 < length < count:
        last, end = first + length - 1, first + length
        last -= count if last >= count else 0
        end -= count if end >= count else 0
        before = first - 1 if first > 0 else count - 1
        if (
            u * circle[first, 0] + v * circle[first, 1] + lift > 0
            and u * circle[last, 0] + v * circle[last, 1] + lift > 0
            and u * circle[before, 0] + v * circle[before, 1] + lift <= 0
            and u * circle[end, 0] + v * circle[end, 1] + lift <= 0
        ):
            return first, length
    size = np.sqrt(u * u + v * v)
    if not (np.abs(lift) < size and size < 1e150):  # all of the circle or none
        return 0, count if lift > 0 else 0
    per_angle = count / (2 * np.pi)
    middle, half = np.arctan2(v, u) * per_angle, np.arccos(-lift / size) * per_angle
    low, high = int(np.floor(middle - half)) + 1, int(np.ceil(middle + half))
    return low % count, min(max(high - low, 0), count)


@njit
def _deposit(
    weights: Array,
    arcs: NDArray[np.int64],
    circle: Array,
    bias: float,
    richness: float,
    jumps: Array,
) -> None:
    """Add the ends of all arcs to `jumps`."""
    count, scale = circle.shape[0], 1 / (richness * weights.shape[0])
    for i in range(weights.shape[0]):
        u, v, lift, out = weights[i, 0], weights[i, 1], weights[i, 2] * bias, weights[i, 3] * scale
        first, length = _arc(u, v, lift, circle, arcs[i, 0], arcs[i, 1])
        arcs[i, 0], arcs[i, 1] = first, length
        end = first + length
        u, v, lift = out * u, out * v, out * lift
        jumps[first, 0] += u
        jumps[first, 1] += v
        jumps[first, 2] += lift
        if end > count:
            jumps[0, 0] += u
            jumps[0, 1] += v
            jumps[0, 2] += lift
            end -= count
        jumps[end, 0] -= u
        jumps[end, 1] -= v
        jumps[end, 2] -= lift


@njit
def _residual(jumps: Array, circle: Array, target: Array, sums: Array) -> float:
    """Fill in prefix sums of the residual times cos, sin and 1, and the residual; clear the jumps; return the loss."""
    count = circle.shape[0]
    u, v, lift, square = 0.0, 0.0, 0.0, 0.0
    along, across, total = 0.0, 0.0, 0.0
    for p in range(count):
        u += jumps[p, 0]
        v += jumps[p, 1]
        lift += jumps[p, 2]
        jumps[p, 0], jumps[p, 1], jumps[p, 2] = 0.0, 0.0, 0.0
        c, s = circle[p, 0], circle[p, 1]
        rest = u * c + v * s + lift - target[p]
        along += rest * c
        across += rest * s
        total += rest
        square += rest * rest
        sums[p + 1, 0], sums[p + 1, 1], sums[p + 1, 2], sums[p + 1, 3] = along, across, total, rest
    jumps[count, 0], jumps[count, 1], jumps[count, 2] = 0.0, 0.0, 0.0
    return float(0.5 * square / count)


@njit
def _descend(
    duration: float,
    weights: Array,
    arcs: NDArray[np.int64],
    circle: Array,
    target: Array,
    bias: float,
    richness: float,
    rate: float,
    square: float,
    most: int,
) -> tuple[int, int]:
    """Train for a time; return what happened and the number of steps. `square` is the sum of squared weights at the start."""
    count = circle.shape[0]
    jumps, sums = np.zeros((count + 1, 3)), np.zeros((count + 1, 4))
    _deposit(weights, arcs, circle, bias, richness, jumps)
    now = 0.0
    bound = 0.0
    for p in range(count):
        bound += target[p] ** 2
    bound *= 50 / count  # a hundred times the loss of f = 0
    steps = 0
    while now < duration:
        if steps >= most:
            return _TOO_LONG, steps
        if not _residual(jumps, circle, target, sums) <= bound:
            return _DIVERGED, steps
        grown = 0.0
        for i in range(weights.shape[0]):
            grown += (
                weights[i, 0] ** 2 + weights[i, 1] ** 2 + weights[i, 2] ** 2 + weights[i, 3] ** 2
            )
        step = rate * square / grown
        if step >= duration - now:
            step, now = duration - now, duration
        else:
            now += step
        speed = -richness * step / count
        for i in range(weights.shape[0]):
            first, end = arcs[i, 0], arcs[i, 0] + arcs[i, 1]
            along, across, total = -sums[first, 0], -sums[first, 1], -sums[first, 2]
            if end > count:
                along, across, total = (
                    along + sums[count, 0],
                    across + sums[count, 1],
                    total + sums[count, 2],
                )
                end -= count
            along, across, total = (
                along + sums[end, 0],
                across + sums[end, 1],
                bias * (total + sums[end, 2]),
            )
            u, v, c, a = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
            weights[i, 0] += speed * a * along
            weights[i, 1] += speed * a * across
            weights[i, 2] += speed * a * total
            weights[i, 3] += speed * (u * along + v * across + c * total)
        _deposit(weights, arcs, circle, bias, richness, jumps)
        steps += 1
    return 0, steps
