"""Tasks whose capacity and source are known: Gaussian features with power-law variances, to infinitely many of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from ....arguments import afford, generator, number, whole
from ....equality import by_value
from ....reprs import short_repr
from .._problems import fill

Array = NDArray[np.float64]

_MOST = 1_000_000  # modes: what more of them would change is far below any spread
_LEAST_DECAY = 1e-12  # below, the power of the labels is infinite within rounding
_BLOCK = 256  # modes that are drawn at once: enough for a matrix product at full speed


@short_repr
@by_value
@dataclass(frozen=True)
class SyntheticTask:
    r"""Gram matrix and labels of samples that were drawn.

    Attributes
    ----------
    gram : ndarray, shape (n, n)
        K, the sum over modes of :math:`k^{-\alpha} \phi_{ik}\phi_{jk}`.
    labels : ndarray, shape (n,)
        y, without noise.
    alpha : float
        Capacity.
    decay : float
        :math:`\alpha\beta`, exponent with which the signal of all modes beyond k falls.
    modes : int
        M, modes that were drawn one by one.
    """

    gram: Array
    labels: Array
    alpha: float
    decay: float
    modes: int

    @property
    def beta(self) -> float:
        """Source, the ratio of the two exponents."""
        return self.decay / self.alpha


def draw_task(
    samples: int,
    *,
    alpha: float,
    decay: float,
    modes: int = 4000,
    rng: np.random.Generator | int = 0,
) -> SyntheticTask:
    r"""Draw samples of a task with infinitely many Gaussian features, whose variances and signal fall as powers.

    .. math::

        K_{ij} = \sum_{k\ge1} k^{-\alpha}\phi_{ik}\phi_{jk}, \qquad y_i = \sum_{k\ge1} k^{-(\alpha\beta+1)/2}\phi_{ik}, \qquad
        \phi_{ik} \sim \mathcal N(0, 1)

    The first M modes are drawn one by one. The rest is added by its mean and variance, with the zeta function of Hurwitz:
    :math:`\zeta(\alpha, M+1)` on the diagonal of K and a normal number of variance :math:`\zeta(\alpha\beta+1, M+1)` on every label.
    A sum that is cut at M is no power law: for :math:`\alpha = 1.2` and M = 4000 eigenvalues of 500 samples read 1.25.

    Parameters
    ----------
    samples : int
        n >= 1.
    alpha : float
        :math:`\alpha > 1`, the capacity.
    decay : float
        :math:`\alpha\beta \ge 10^{-12}`.
    modes : int
        M, 1 to 10^6.
    rng : Generator or int
        Source of randomness.

    Returns
    -------
    SyntheticTask
        The Gram matrix, exactly symmetric, the labels, and what they were drawn from.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ResourceError
        If the Gram matrix would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    O(n^2 M) in products of blocks of 256 modes, 2 s for n = 2000 and M = 4000 on one core. What is left out of the rest is its
    spread: off the diagonal a standard deviation of :math:`\zeta(2\alpha, M+1)^{1/2}`, 2e-3 for M = 4000 at :math:`\alpha = 1.2`
    where the diagonal is 5.6, and its correlation with the labels.

    Examples
    --------
    >>> task = draw_task(300, alpha=1.5, decay=0.75, rng=0)
    >>> task.gram.shape, task.labels.shape, task.beta
    ((300, 300), (300,), 0.5)
    >>> bool(abs(task.gram.trace() / 300 / 2.612375 - 1) < 0.1)  # zeta(3/2)
    True
    """
    n, m = whole("samples", samples), whole("modes", modes, high=_MOST)
    alpha = number("alpha", alpha, low=1, strict=True)
    decay = number("decay", decay, low=_LEAST_DECAY)
    afford(
        2.0 * n * n + 2.0 * n * _BLOCK + 4.0 * m, "the Gram matrix", "use fewer samples or modes"
    )
    source = generator(rng)
    k = np.arange(1.0, m + 1)
    variances, amplitudes = k**-alpha, k ** (-(decay + 1) / 2)
    rest, noise = _tail(alpha, m), _tail(decay + 1, m)

    gram, labels = np.zeros((n, n), order="F"), np.zeros(n)
    features = np.empty((min(_BLOCK, m), n))
    for start in range(0, m, _BLOCK):
        part = slice(start, min(start + _BLOCK, m))
        drawn = features[: part.stop - start]
        fill(source, drawn)
        labels += amplitudes[part] @ drawn
        drawn *= np.sqrt(variances[part])[:, None]
        # the lower triangle alone, in place: half of the work of a product
        gram = linalg.blas.dsyrk(1.0, drawn.T, beta=1.0, c=gram, lower=1, overwrite_c=1)
    for column in range(n - 1):
        gram[column, column + 1 :] = gram[column + 1 :, column]
    gram[np.diag_indices(n)] += rest
    labels += math.sqrt(noise) * source.standard_normal(n)
    return SyntheticTask(np.ascontiguousarray(gram.T), labels, alpha, decay, m)


def _tail(exponent: float, modes: int) -> float:
    """Return the sum of ``k**-exponent`` over all k > modes; zero where no term of it is a number."""
    return (
        float(special.zeta(exponent, modes + 1.0)) if modes + 1.0 < 1e300 ** (1 / exponent) else 0.0
    )
