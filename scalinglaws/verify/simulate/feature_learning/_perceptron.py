"""Networks on the circle of any smoothness, with one or two hidden layers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, generator, number, whole
from ....errors import ConvergenceError, ResourceError, refusal
from .._problems import table
from ._flow import finite_times
from ._records import SimulatedCircle

Array = NDArray[np.float64]

_MOST_WORK = 2e12  # multiplications with additions in one draw: about ten minutes


def circle_perceptron(
    t: ArrayLike,
    *,
    neurons: int,
    samples: int,
    richness: float,
    target_exponent: float,
    activation_power: int = 1,
    hidden_layers: int = 1,
    harmonics: int = 64,
    bias: float = 1.0,
    pace: float = 0.5,
    draws: int = 1,
    rng: np.random.Generator | int = 0,
) -> SimulatedCircle:
    r"""Train networks of one or two hidden layers on a sum of harmonics of an angle.

    Inputs are :math:`x_p = (\cos\theta_p, \sin\theta_p, b)` at P equidistant angles, the target is
    :math:`y = \sum_{k=1}^K k^{-q_y}\cos k\theta`. With the activation :math:`\phi(z) = z_+^q` and richness :math:`\gamma`

    .. math:: f = \frac{1}{\gamma N}\, a\cdot\phi(W x) \quad\text{or}\quad
              f = \frac{1}{\gamma N}\, a\cdot\phi\big(\tfrac{1}{\sqrt N} W_2\,\phi(W_1 x)\big), \qquad
              \dot\theta = -\gamma^2 N\, \nabla_\theta L, \quad L = \frac{1}{2P} \sum_p (f(x_p) - y_p)^2,

    from standard normal weights. With one hidden layer neurons come in pairs with opposite a, so that f starts at zero; with two,
    where the gradients of pairs would cancel in the first layer, the output at the start is taken off.

    Parameters
    ----------
    t : array_like, shape () or (T,)
        Times, finite, >= 0 and non-decreasing.
    neurons : int
        N, even, of each hidden layer.
    samples : int
        P, more than twice `harmonics`.
    richness : float
        :math:`\gamma`, between 1e-6 and 1e4; lazy below some 1e-3.
    target_exponent : float
        :math:`q_y`; source :math:`\beta = (q_y - 1/2)/q`, capacity :math:`\alpha = 2q`.
    activation_power : int
        q, between 1 and 4.
    hidden_layers : int
        1 or 2.
    harmonics : int
        K.
    bias : float
        Input bias b, finite, >= 0.
    pace : float
        Length of a step in units of one over the mean diagonal of the tangent kernel, an upper bound of its largest eigenvalue
        at the start; between 0.001 and 1.5. Steps shrink as this diagonal grows.
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
        If one draw would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default) or about ten minutes.
    ConvergenceError
        If descent diverges.

    Notes
    -----
    Plain steps with all weights: :math:`6 N P` operations with one hidden layer, :math:`8 N^2 P` with two. For one hidden layer of
    rectified linear units `circle_network` is the same at O(N + P). The test loss is taken halfway between samples.

    References
    ----------
    .. [1] B. Bordelon, A. Atanasov, C. Pehlevan, "How feature learning can improve neural scaling laws", arXiv:2409.17858,
       the experiments on the circle.

    Examples
    --------
    >>> task = {"neurons": 60, "samples": 40, "harmonics": 16, "target_exponent": 1.0}
    >>> lazy, rich = (circle_perceptron(20, richness=gamma, hidden_layers=2, **task) for gamma in (1e-3, 2))
    >>> rich.train_loss < lazy.train_loss
    array([ True])
    """
    times = finite_times(t)
    names = ("neurons", "samples", "harmonics", "draws")
    neurons, samples, harmonics, draws = (
        whole(name, value)
        for name, value in zip(names, (neurons, samples, harmonics, draws), strict=True)
    )
    power = whole("activation_power", activation_power, high=4)
    hidden = whole("hidden_layers", hidden_layers, high=2)
    if neurons % 2:
        raise refusal("neurons", neurons, "must be even: they come in pairs that cancel")
    if samples <= 2 * harmonics:
        raise refusal(
            "samples",
            samples,
            f"must be more than twice the number of harmonics, {harmonics}: fewer do not tell them apart",
        )
    richness, exponent = (
        number("richness", richness, low=1e-6, high=1e4),
        number("target_exponent", target_exponent, low=0),
    )
    bias, pace = number("bias", bias, low=0), number("pace", pace, low=1e-3, high=1.5)
    flat = times.reshape(-1)
    square = float(neurons) ** 2 if hidden == 2 else 0.0
    afford(
        8.0 * neurons * samples + 3.0 * square + 3.0 * flat.size,
        "one draw",
        "use fewer neurons, samples or times",
    )
    found = table(3, draws, flat.size)
    work = 8.0 * square * samples + 8.0 * neurons * samples + 1e4
    task = _Task(samples, harmonics, exponent, bias, (richness, power))
    source = generator(rng)
    for i in range(draws):
        found[:, i] = task.train(
            flat, _weights(source.spawn(1)[0], neurons, hidden), pace, int(_MOST_WORK / work)
        )
    return SimulatedCircle(*found.reshape(3, draws, *times.shape))


def _weights(rng: np.random.Generator, neurons: int, hidden: int) -> list[Array]:
    """Draw all layers from the input to the output, in pairs where there is one hidden layer."""
    if hidden == 2:
        shapes: tuple[tuple[int, ...], ...] = ((neurons, 3), (neurons, neurons), (neurons,))
        return [rng.standard_normal(shape) for shape in shapes]
    top, out = rng.standard_normal((neurons // 2, 3)), rng.standard_normal(neurons // 2)
    return [np.concatenate([top, top]), np.concatenate([out, -out])]


class _Task:
    """Samples and target, and how a network learns them."""

    def __init__(
        self,
        samples: int,
        harmonics: int,
        exponent: float,
        bias: float,
        shape: tuple[float, int],
    ) -> None:
        angles = 2 * math.pi / samples * np.arange(2 * samples).reshape(samples, 2) / 2
        k = np.arange(1, harmonics + 1)[:, None]
        self.inputs, self.targets = [], []  # on the samples, and halfway between
        for place in angles.T:
            self.inputs.append(
                np.stack([np.cos(place), np.sin(place), np.full(samples, float(bias))])
            )
            self.targets.append(np.sum(k**-exponent * np.cos(k * place), axis=0))
        self.richness, self.power = shape

    def train(self, times: Array, weights: list[Array], pace: float, most: int) -> Array:
        """Return test loss, train loss and growth of the weights at all times."""
        found, now, taken = np.empty((3, times.size)), 0.0, 0
        first = sum(float(np.sum(layer**2)) for layer in weights)
        start = float(np.mean(self.targets[0] ** 2))
        goals = [
            y + (self.tangent(weights, x)[0] if len(weights) == 3 else 0.0)
            for x, y in zip(self.inputs, self.targets, strict=True)
        ]
        inputs, target = self.inputs[0], goals[0]
        with np.errstate(all="ignore"):
            for j, time in enumerate(times.tolist()):
                while now < time:
                    output, slopes, diagonal = self.tangent(weights, inputs)
                    rest = output - target
                    if not np.mean(rest**2) <= 100 * start:
                        raise ConvergenceError(
                            f"descent diverged before t = {time:.3g}; lower the pace, here {pace:g}"
                        )
                    step = pace / diagonal
                    if taken >= most or not times[-1] - now < 100.0 * most * step:
                        raise ResourceError(
                            f"training was given up at t = {now:.3g}: it takes too many steps; end earlier, or use fewer neurons"
                        )
                    step, now = (time - now, time) if step >= time - now else (step, now + step)
                    self.move(weights, slopes, rest, -self.richness * step / target.size)
                    taken += 1
                losses = [
                    0.5 * float(np.mean((self.tangent(weights, x)[0] - y) ** 2))
                    for x, y in zip(self.inputs, goals, strict=True)
                ]
                grown = sum(float(np.sum(layer**2)) for layer in weights)
                found[:, j] = losses[1], losses[0], grown / first
        return found

    def tangent(
        self, weights: list[Array], inputs: Array
    ) -> tuple[Array, list[tuple[Array, Array]], float]:
        """Return outputs, for each layer what it sees and what it sends on (times gamma N), and the kernel's mean diagonal."""
        count, q = weights[-1].size, self.power
        seen, bent = [inputs], []
        for layer in weights[:-1]:
            # entries of the first layer are of order one, those of the second are summed over N
            scale = 1.0 if seen[-1] is inputs else 1 / math.sqrt(count)
            field = np.maximum(scale * (layer @ seen[-1]), 0.0)
            bent.append(q * scale * field ** (q - 1) if q > 1 else scale * (field > 0))
            seen.append(field**q)
        output = weights[-1] @ seen[-1] / (self.richness * count)
        sent = [np.ones((1, inputs.shape[1]))]
        back = weights[-1][:, None] * bent[-1]
        sent.insert(0, back)
        if len(weights) == 3:
            sent.insert(0, (weights[1].T @ back) * bent[0])
        pairs = list(zip(seen, sent, strict=True))
        diagonal = sum(
            float(np.mean(np.sum(x**2, axis=0) * np.sum(y**2, axis=0))) for x, y in pairs
        )
        return output, pairs, diagonal / count

    @staticmethod
    def move(
        weights: list[Array], slopes: list[tuple[Array, Array]], rest: Array, gain: float
    ) -> None:
        """Take one step with all layers."""
        for layer, (seen, sent) in zip(weights, slopes, strict=True):
            layer += gain * ((sent * rest) @ seen.T).reshape(layer.shape)
