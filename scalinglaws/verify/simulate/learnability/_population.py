"""Regression on points drawn from a finite population, looked at on all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import log_ndtr

from ....arguments import afford, affordable, flag, floats, generator, number, refuse_first, whole
from ....equality import by_value
from ....errors import refusal
from ....reprs import short_repr

Array = NDArray[np.float64]
Places = NDArray[np.int64]

_BATCH = 64  # data sets whose predictors are computed by one product of matrices


@short_repr
@by_value
@dataclass(frozen=True)
class PopulationRegression:
    r"""Regressions on data sets drawn from a finite population.

    Attributes
    ----------
    samples : int
        P of each data set.
    ridge : float
        :math:`\sigma^2`.
    learnability : ndarray, shape (draws,) or (draws, T)
        :math:`\langle\bar f, y\rangle / \langle y, y\rangle` over the population, for every data set, and target if there are several.
    test_loss : ndarray, of the same shape
        :math:`\langle(\bar f - y)^2\rangle`.
    """

    samples: int
    ridge: float
    learnability: Array
    test_loss: Array


@short_repr
@by_value
@dataclass(frozen=True)
class Posterior:
    r"""What the posterior of a Gaussian process says of an alignment :math:`A = \langle f, g\rangle` over a population.

    Attributes
    ----------
    mean, variance : float
        Of A, which is Gaussian.
    """

    mean: float
    variance: float

    def log_probability(self, alignment: float) -> float:
        r"""Return :math:`\log \pi(A \ge \alpha)`, however small."""
        level = number("alignment", alignment)
        return float(log_ndtr((self.mean - level) / np.sqrt(self.variance)))


def regress_population(
    gram: ArrayLike,
    targets: ArrayLike,
    samples: int,
    *,
    ridge: float,
    draws: int,
    replacement: bool = True,
    rng: np.random.Generator | int,
) -> PopulationRegression:
    r"""Draw data sets from a finite population, and regress on them exactly.

    .. math:: \bar f = K_{\cdot D} (K_{DD} + \sigma^2)^{-1} y_D, \qquad
              \text{learnability} = \frac{\langle \bar f, y\rangle}{\langle y, y\rangle}, \qquad
              \text{test loss} = \langle (\bar f - y)^2\rangle,

    with means over all n points of the population, those of the data set included.

    Parameters
    ----------
    gram : array_like, shape (n, n)
        K between all points, symmetric.
    targets : array_like, shape (n,) or (n, T)
        y; several are learned from the same data sets.
    samples : int
        P >= 1; at most n without replacement.
    ridge : float
        :math:`\sigma^2 > 0`, added to :math:`K_{DD}`.
    draws : int
        Data sets.
    replacement : bool
        Whether a point may be drawn more than once.
    rng : Generator or int
        Source of randomness; each data set takes a stream spawned from it, so that draw i is the same however many there are.

    Returns
    -------
    PopulationRegression
        Learnability and test loss of every data set.

    Raises
    ------
    DomainError
        If an argument is out of range, shapes do not match, a target is zero everywhere, or the kernel is not positive.
    ResourceError
        If matrices or results would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    :math:`P^3/3 + 2 n^2 T` operations for each data set, by Cholesky factors: about 1 ms at P = 100 and n = 1797 on one core.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 50)
    >>> found = regress_population(1 + np.outer(x, x), x, 10, ridge=1e-8, draws=2, rng=0)
    >>> found.learnability.round(6)
    array([1., 1.])
    """
    kernel, columns, flat = _population(gram, targets)
    size, ridge = whole("samples", samples), number("ridge", ridge, low=0, strict=True)
    count, again = whole("draws", draws), flag("replacement", replacement)
    n, several = columns.shape
    if not again and size > n:
        raise refusal("samples", samples, f"must be <= {n} without replacement")
    afford(2.0 * count * several, "the results", "use fewer draws or targets")
    afford(2.0 * size**2 + 3.0 * n * several, "one data set", "use fewer samples or targets")
    batch = int(np.clip(affordable() // (4 * n * several), 1, _BATCH))
    source, powers = generator(rng), np.sum(columns**2, axis=0)
    learned, lost = np.empty((2, count, several))
    for start in range(0, count, batch):
        here = min(batch, count - start)
        weights = np.zeros((n, here, several))
        for i in range(here):
            stream = source.spawn(1)[0]
            chosen = stream.integers(n, size=size) if again else stream.permutation(n)[:size]
            np.add.at(weights[:, i], chosen, _solved(kernel, chosen, columns[chosen], ridge))
        fitted = (kernel @ weights.reshape(n, -1)).reshape(weights.shape)
        learned[start : start + here] = np.einsum("nit,nt->it", fitted, columns) / powers
        fitted -= columns[:, None]
        lost[start : start + here] = np.mean(fitted**2, axis=0)
    if flat:
        learned, lost = learned[:, 0], lost[:, 0]
    return PopulationRegression(size, ridge, learned, lost)


def population_posterior(
    gram: ArrayLike, targets: ArrayLike, chosen: ArrayLike, *, direction: ArrayLike, ridge: float
) -> Posterior:
    r"""Compute the posterior of an alignment over a finite population, given one data set.

    .. math::

        A = \langle f, g\rangle, \qquad a_\mu = \langle K(\cdot, x_\mu), g\rangle, \qquad
        E[A] = a^\top (K_{DD} + \sigma^2)^{-1} y_D, \qquad
        \mathrm{Var}[A] = \langle g, K g\rangle - a^\top (K_{DD} + \sigma^2)^{-1} a

    Parameters
    ----------
    gram : array_like, shape (n, n)
        K between all points, symmetric.
    targets : array_like, shape (n,)
        y.
    chosen : array_like, shape (P,)
        Places of the data in the population, from 0 to n - 1, with repetitions if there are any; none for the prior.
    direction : array_like, shape (n,)
        g, with means over the population in angles.
    ridge : float
        :math:`\sigma^2 > 0`.

    Returns
    -------
    Posterior
        Mean and variance of A, and the logarithm of its probability to exceed a level.

    Raises
    ------
    DomainError
        If an argument is out of range, shapes do not match, or the kernel is not positive.
    ResourceError
        If the matrices would need more than the memory budget.

    Examples
    --------
    >>> found = population_posterior(np.eye(2), [1.0, 0.0], [0, 0], direction=[2.0, 0.0], ridge=1.0)
    >>> round(found.mean, 4), round(found.variance, 4), round(found.log_probability(3.0), 4)
    (0.6667, 0.3333, -10.5361)
    """
    kernel, columns, flat = _population(gram, targets)
    along = _vector("direction", direction, len(kernel))
    ridge = number("ridge", ridge, low=0, strict=True)
    if not flat:
        raise refusal("targets", columns.shape, "must be one target", shown=False)
    places = np.atleast_1d(floats("chosen", chosen))
    wrong = (places != np.floor(places)) | (places < 0) | (places >= len(kernel))
    refuse_first(
        "chosen", places, wrong | ~np.isfinite(places), f"must be from 0 to {len(kernel) - 1}"
    )
    afford(2.0 * places.size**2 + 2.0 * places.size, "the data set", "choose fewer points")
    at = places.astype(np.int64)
    response = kernel @ along / len(kernel)
    prior = float(along @ response) / len(kernel)
    if not at.size:
        return Posterior(0.0, prior)
    pair = _solved(kernel, at, np.stack([columns[at, 0], response[at]], axis=1), ridge)
    mean, known = response[at] @ pair
    return Posterior(float(mean), float(prior - known))


def hardest_subset(
    gram: ArrayLike,
    targets: ArrayLike,
    samples: int,
    *,
    direction: ArrayLike,
    ridge: float,
    alignment: float | None = None,
) -> Places:
    r"""Choose points one after the other so that a Gaussian process aligns as well as it can: an opponent of bounds.

    Parameters
    ----------
    gram, targets, direction, ridge
        As for `population_posterior`.
    samples : int
        P >= 1 points, which may repeat.
    alignment : float, optional
        The next point is the one that leaves the posterior probability of :math:`A \ge \alpha` largest; if None, the one that leaves
        the mean of A largest.

    Returns
    -------
    ndarray of int, shape (P,)
        Their places in the population; the first p of them are what fewer samples would have got.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ResourceError
        If the posterior covariance of the population would need more than the memory budget.

    Notes
    -----
    Greedy, so not the best of all subsets. The posterior of the population is updated by each point, :math:`3 n^2` operations.

    Examples
    --------
    >>> hardest_subset(np.eye(3), [1.0, 2.0, 0.0], 3, direction=[1.0, 1.0, 1.0], ridge=1.0)
    array([1, 0, 1])
    """
    kernel, columns, flat = _population(gram, targets)
    along = _vector("direction", direction, len(kernel))
    size, ridge = whole("samples", samples), number("ridge", ridge, low=0, strict=True)
    level = None if alignment is None else number("alignment", alignment)
    if not flat:
        raise refusal("targets", columns.shape, "must be one target", shown=False)
    n = len(kernel)
    afford(2.0 * n**2 + size, "the posterior covariance", "use a smaller population")
    covariance, fitted = kernel.copy(), np.zeros(n)
    response = kernel @ along / n
    mean, variance = 0.0, float(along @ response) / n
    found = np.empty(size, np.int64)
    for i in range(size):
        spread = np.diagonal(covariance) + ridge
        means = mean + response * (columns[:, 0] - fitted) / spread
        left = np.maximum(variance - response**2 / spread, 0.0)
        with np.errstate(divide="ignore"):
            score = means if level is None else (means - level) / np.sqrt(left)
        best = int(np.argmax(score))
        found[i], mean, variance = best, float(means[best]), float(left[best])
        gain = covariance[best] / spread[best]
        fitted += gain * (columns[best, 0] - fitted[best])
        response = response - gain * response[best]
        covariance -= np.outer(gain, covariance[best])
    return found


def _population(gram: ArrayLike, targets: ArrayLike) -> tuple[Array, Array, bool]:
    """Return a kernel, targets as columns, and whether there was but one."""
    kernel, y = floats("gram", gram), floats("targets", targets)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not kernel.size:
        raise refusal(
            "gram", kernel.shape, f"must be a square matrix; got shape {kernel.shape}", shown=False
        )
    if y.ndim not in (1, 2) or len(y) != len(kernel) or not y.size:
        told = f"must have shape ({len(kernel)},) or ({len(kernel)}, T); got {y.shape}"
        raise refusal("targets", y.shape, told, shown=False)
    for name, values in (("gram", kernel), ("targets", y)):
        refuse_first(name, values, ~np.isfinite(values), "must be finite")
    if np.max(np.abs(kernel - kernel.T)) > 1e-10 * np.max(np.abs(kernel)):
        raise refusal("gram", kernel.shape, "must be symmetric", shown=False)
    columns = y.reshape(len(y), -1)
    refuse_first(
        "targets", columns.T, np.all(columns == 0, axis=0)[:, None], "must not be zero everywhere"
    )
    return kernel, columns, y.ndim == 1


def _vector(name: str, value: ArrayLike, length: int) -> Array:
    found = floats(name, value)
    if found.shape != (length,):
        raise refusal(
            name, found.shape, f"must have shape ({length},); got {found.shape}", shown=False
        )
    refuse_first(name, found, ~np.isfinite(found), "must be finite")
    return found


def _solved(kernel: Array, chosen: Places, right: Array, ridge: float) -> Array:
    """Solve for the weights of a data set."""
    block = kernel[np.ix_(chosen, chosen)]
    block.flat[:: chosen.size + 1] += ridge
    try:
        factor = cho_factor(block, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        raise refusal(
            "gram", kernel.shape, "must have no negative eigenvalues, up to the ridge", shown=False
        ) from None
    found: Array = cho_solve(factor, right, check_finite=False)
    return found
