"""Networks of dense layers, trained by stochastic gradients, and observed on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import (
    MOST_EXACT,
    afford,
    choice,
    floats,
    function,
    generator,
    number,
    ordered,
    whole,
)
from ....equality import by_value
from ....errors import ConvergenceError, DataError, refusal
from ....reprs import short_repr

Array = NDArray[np.float64]
Observe = Callable[[list[Array]], ArrayLike]

OPTIMIZERS = ("adam", "sgd")
_DECAY, _SQUARED_DECAY, _SMALLEST = 0.9, 0.999, 1e-8  # Adam's own numbers


@short_repr
@by_value
@dataclass(frozen=True)
class TrainedNetwork:
    """A network along its training.

    Attributes
    ----------
    steps : ndarray, shape (T,)
        Steps at which it was looked at.
    error : ndarray, shape (T,)
        Share of test inputs that are misclassified.
    train_error, train_loss : ndarray, shape (T,)
        Share of training inputs that are misclassified; cross-entropy on them.
    observed : ndarray, shape (T, K)
        What `observe` said of the weights.
    weights : tuple of ndarray
        Matrices of shape (outputs, inputs) at the end.
    """

    steps: Array
    error: Array
    train_error: Array
    train_loss: Array
    observed: Array
    weights: tuple[Array, ...]


def train_network(
    steps: ArrayLike,
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    test_inputs: ArrayLike,
    test_labels: ArrayLike,
    widths: Sequence[int] = (64,),
    scale: float = 1.0,
    optimizer: str = "adam",
    learning_rate: float = 1e-3,
    batch: int = 64,
    weight_decay: float = 0.0,
    observe: Observe | None = None,
    rng: np.random.Generator | int = 0,
) -> TrainedNetwork:
    r"""Train a network of ReLU layers to tell classes apart, and look at it at given steps.

    Weights start Gaussian with the variance :math:`2 s^2/n` of He's rule, n inputs, times a scale; biases start at zero.
    Each step descends the cross-entropy of a batch, drawn without replacement until all samples have been seen.

    Parameters
    ----------
    steps : array_like, shape (T,)
        Steps at which to look, whole numbers >= 0, non-decreasing; training ends with the last.
    inputs, labels : array_like, shape (P, n) and (P,)
        Training samples; labels are whole numbers from 0.
    test_inputs, test_labels : array_like, shape (Q, n) and (Q,)
        Test samples.
    widths : sequence of int
        Neurons of each hidden layer; none for a linear classifier.
    scale : float
        s > 0.
    optimizer : {"adam", "sgd"}
        Adam with its usual decays 0.9 and 0.999, or plain gradient descent on batches.
    learning_rate : float
        > 0.
    batch : int
        Samples of a batch, at most all.
    weight_decay : float
        Share >= 0 of the weights, not of biases, that each step takes away, times the learning rate (decoupled from Adam's scaling).
    observe : callable, optional
        From the list of weight matrices to K numbers, such as norms; by default there are none.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    TrainedNetwork
        Errors, losses and observations at `steps`.

    Raises
    ------
    DomainError
        If an argument is out of range, or `observe` does not return finite numbers, always as many.
    DataError
        If samples and labels do not fit, or are not finite.
    ConvergenceError
        If outputs or the loss are not finite: the learning rate is too large.
    ResourceError
        If it would need more than the memory budget.

    Notes
    -----
    In double precision. Some 0.1 ms a step for 64 inputs and neurons and a batch of 64.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980.
    .. [2] I. Loshchilov, F. Hutter, "Decoupled weight decay regularization", arXiv:1711.05101.
    .. [3] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers", arXiv:1502.01852.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 5))
    >>> y = (x[:, 0] > 0).astype(int)
    >>> found = train_network([0, 300], x[:200], y[:200], test_inputs=x[200:], test_labels=y[200:])
    >>> bool(found.error[0] > 0.2 > 0.1 > found.error[1])
    True
    """
    looked = np.atleast_1d(ordered("steps", steps, whole=True, infinite=False, single_row=True))
    x, y = _samples("", inputs, labels)
    test_x, test_y = _samples("test_", test_inputs, test_labels)
    if x.shape[1] != test_x.shape[1]:
        raise DataError(f"inputs have {x.shape[1]} entries, test_inputs {test_x.shape[1]}")
    choice("optimizer", optimizer, OPTIMIZERS)
    for name, value in (("scale", scale), ("learning_rate", learning_rate)):
        number(name, value, low=0.0, strict=True)
    number("weight_decay", weight_decay, low=0.0)
    size = whole("batch", batch, high=y.size)
    row = isinstance(widths, np.ndarray) and widths.ndim == 1
    if not (row or isinstance(widths, Sequence)) or isinstance(widths, (str, bytes)):
        raise refusal("widths", widths, "must be a sequence of whole numbers")
    classes = int(max(y.max(), test_y.max())) + 1
    sizes = [x.shape[1], *(whole("widths", width) for width in widths), classes]
    afford(
        4 * sum(a * b for a, b in pairwise(sizes)) + (y.size + test_y.size) * max(sizes),
        "a network",
        "use smaller layers or fewer samples",
    )
    if observe is not None:
        function("observe", observe)
    source = generator(rng)
    with np.errstate(over="ignore"):  # told with the outputs
        weights = [
            scale * math.sqrt(2 / n) * source.standard_normal((m, n)) for n, m in pairwise(sizes)
        ]
    update = _Updates(weights, [np.zeros(m) for m in sizes[1:]], optimizer, learning_rate)
    rows: list[tuple[float, float, float]] = []
    seen: list[Array] = []
    step = 0
    order, at = source.permutation(y.size), 0
    for stop in looked.astype(int):
        while step < stop:
            if at + size > y.size:
                order, at = source.permutation(y.size), 0
            chosen = order[at : at + size]
            at, step = at + size, step + 1
            with np.errstate(over="ignore", invalid="ignore"):  # told with the outputs
                update.step(x[chosen], y[chosen], weight_decay)
        rows.append(_row(update, x, y, test_x, test_y, step))
        if observe is not None:
            seen.append(_observed(observe, update.weights, seen, looked.size))
    error, train_error, train_loss = np.array(rows).T
    observed = np.array(seen) if seen else np.empty((looked.size, 0))
    return TrainedNetwork(looked, error, train_error, train_loss, observed, tuple(update.weights))


def _samples(prefix: str, inputs: ArrayLike, labels: ArrayLike) -> tuple[Array, NDArray[np.int64]]:
    """Read samples and their labels."""
    x, y = floats(f"{prefix}inputs", inputs), floats(f"{prefix}labels", labels)
    if x.ndim != 2 or y.shape != x.shape[:1] or not x.size:
        raise DataError(
            f"{prefix}inputs of shape {x.shape} and {prefix}labels of shape {y.shape} do not fit: "
            "they must be (samples, entries) and (samples,)"
        )
    if not np.all(np.isfinite(x)):
        raise DataError(f"{prefix}inputs must be finite")
    if not np.all((y == np.floor(y)) & (y >= 0) & (y < MOST_EXACT)):
        raise DataError(f"{prefix}labels must be whole numbers >= 0")
    return x, y.astype(np.int64)


class _Updates:
    """Weights, biases, and what the optimizer remembers of their gradients."""

    def __init__(self, weights: list[Array], biases: list[Array], optimizer: str, rate: float):
        self.weights, self.biases, self.rate = weights, biases, rate
        self.adam, self.count = optimizer == "adam", 0
        parameters = [*weights, *biases]
        self.first = [np.zeros_like(each) for each in parameters]
        self.second = [np.zeros_like(each) for each in parameters]

    def forward(self, x: Array) -> list[Array]:
        """Return the inputs of all layers and the outputs of the last."""
        layers = [x]
        for number_, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            z = layers[-1] @ weight.T + bias
            layers.append(np.maximum(z, 0.0) if number_ < len(self.weights) else z)
        return layers

    def step(self, x: Array, y: NDArray[np.int64], weight_decay: float) -> None:
        """Descend the cross-entropy of a batch by one step."""
        *layers, outputs = self.forward(x)
        pull = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        pull /= pull.sum(axis=1, keepdims=True)
        pull[np.arange(y.size), y] -= 1.0
        pull /= y.size
        slopes: list[Any] = [None] * (2 * len(self.weights))
        for i in range(len(self.weights) - 1, -1, -1):
            slopes[i], slopes[len(self.weights) + i] = pull.T @ layers[i], pull.sum(axis=0)
            if i:
                pull = (pull @ self.weights[i]) * (layers[i] > 0)
        for weight in self.weights:
            weight *= 1 - self.rate * weight_decay
        self.count += 1
        for i, parameter in enumerate((*self.weights, *self.biases)):
            if not self.adam:
                parameter -= self.rate * slopes[i]
                continue
            self.first[i] += (1 - _DECAY) * (slopes[i] - self.first[i])
            self.second[i] += (1 - _SQUARED_DECAY) * (slopes[i] ** 2 - self.second[i])
            # the averages start at zero: divide by the weight that they have gathered
            gathered = (1 - _DECAY**self.count, 1 - _SQUARED_DECAY**self.count)
            parameter -= (self.rate / gathered[0]) * (
                self.first[i] / (np.sqrt(self.second[i] / gathered[1]) + _SMALLEST)
            )


def _row(
    update: _Updates,
    x: Array,
    y: NDArray[np.int64],
    test_x: Array,
    test_y: NDArray[np.int64],
    step: int,
) -> tuple[float, float, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        outputs, test_outputs = update.forward(x)[-1], update.forward(test_x)[-1]
        highest = outputs.max(axis=1, keepdims=True)
        loss = np.log(np.exp(outputs - highest).sum(axis=1)) + highest[:, 0]
        loss -= outputs[np.arange(y.size), y]
    if not (np.all(np.isfinite(loss)) and np.all(np.isfinite(test_outputs))):
        raise ConvergenceError(
            f"train_network: outputs are not finite after {step} steps; use a smaller learning_rate, scale or weight_decay"
        )
    return (
        float(np.mean(test_outputs.argmax(axis=1) != test_y)),
        float(np.mean(outputs.argmax(axis=1) != y)),
        float(loss.mean()),
    )


def _observed(observe: Observe, weights: list[Array], before: list[Array], looks: int) -> Array:
    """Return what is observed of weights: finite numbers, as many as before."""
    told = "must be finite numbers, at every step as many"
    found = observe([weight.copy() for weight in weights])
    row = floats("observe(weights)", found, told).ravel()
    if not np.all(np.isfinite(row)) or (before and before[0].size != row.size):
        raise refusal("observe(weights)", found, told)
    afford(float(looks) * row.size, "what is observed", "return fewer numbers, or look less often")
    return row
