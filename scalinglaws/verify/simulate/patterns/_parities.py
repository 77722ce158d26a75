"""A prior of which every network can be listed and weighed: parities of bits, one of them the target."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, generator, number, whole
from ....equality import by_value
from ....errors import ConvergenceError, refusal
from ....reprs import short_repr

Array = NDArray[np.float64]

_MOST_BITS = 24


@short_repr
@by_value
@dataclass(frozen=True)
class WeighedNetworks:
    r"""When data sets align a posterior with its target.

    Attributes
    ----------
    cost : float
        :math:`C = -\log P(A \ge \alpha)` under the prior, for any :math:`0 < \alpha \le 1`.
    samples : ndarray, shape (draws,)
        Least number of samples from which the posterior probability of the target reaches the level, data set by data set.
    log_probability : ndarray, shape (draws, most)
        Log of that probability after 1, 2, ... samples; NaN after the level was reached.
    """

    cost: float
    samples: Array
    log_probability: Array


def weigh_networks(
    bits: int,
    *,
    noise: float,
    level: float = 0.5,
    most: int | None = None,
    draws: int,
    rng: np.random.Generator | int,
) -> WeighedNetworks:
    r"""Weigh all networks of a prior by the likelihood of data sets, until half of the weight is on the target.

    .. math:: f_S(x) = \prod_{i \in S} x_i, \quad x \in \{-1, 1\}^n, \qquad
              \pi(S) \propto \exp\Big[-\sum_{\mu \le P} \frac{(f_S(x_\mu) - y_\mu)^2}{2\sigma^2}\Big]

    The prior has all :math:`2^n` sets S alike, and the labels are those of one of them. Functions of different sets have no overlap, so
    that to be aligned is to be the target: a rare event of cost :math:`n \log 2` with outputs of variance one.

    Parameters
    ----------
    bits : int
        n, from 1 to 24.
    noise : float
        :math:`\sigma^2 > 0`, of the likelihood; labels carry none.
    level : float
        Posterior probability that counts as aligned, between 0 and 1.
    most : int, optional
        Samples after which a data set is given up; by default :math:`5 (1 + \sigma^2)(C + 5)`.
    draws : int
        Data sets.
    rng : Generator or int
        Source of randomness; each data set takes a stream spawned from it.

    Returns
    -------
    WeighedNetworks
        Samples, and probabilities on the way.

    Raises
    ------
    DomainError
        If an argument is out of range.
    ConvergenceError
        If a data set has not reached the level after so many samples.
    ResourceError
        If the networks or the results would need more than the memory budget.

    Notes
    -----
    :math:`2^n` additions and exponentials for each sample.

    Examples
    --------
    >>> found = weigh_networks(6, noise=4.0, draws=20, rng=0)
    >>> round(found.cost, 3), bool(found.samples.mean() > 4 * found.cost)
    (4.159, True)
    """
    n, count = whole("bits", bits, high=_MOST_BITS), whole("draws", draws)
    variance = number("noise", noise, low=0, strict=True)
    wanted = number("level", level, low=0, high=1, strict=True)
    if wanted == 1:  # reached by rounding alone
        raise refusal("level", level, "must be below 1")
    cost = n * math.log(2)
    limit = math.ceil(5 * (1 + variance) * (cost + 5)) if most is None else whole("most", most)
    afford(4.0 * 2**n, "the networks", "use fewer bits")
    afford(float(count) * limit, "the results", "use fewer draws or less noise")
    samples, logs = np.full(count, math.nan), np.full((count, limit), math.nan)
    for i, stream in enumerate(generator(rng).spawn(count)):
        target = int(stream.integers(2**n))
        agreed = np.zeros(2**n)  # samples on which a network has the label, minus the others
        for p in range(limit):
            values = np.ones(1)
            for bit in stream.choice(np.array([-1.0, 1.0]), n).tolist():
                values = np.concatenate([values, bit * values])
            agreed += values[target] * values
            # (f - y)^2 = 2 - 2 f y
            found = -math.log(float(np.sum(np.exp((agreed - agreed[target]) / variance))))
            logs[i, p] = found
            if found >= math.log(wanted):
                samples[i] = p + 1
                break
        else:
            raise ConvergenceError(
                f"weigh_networks: after {limit} samples a data set has the target at a probability of {math.exp(found):.2g} only; "
                "allow more of them by most",
                result=WeighedNetworks(cost, samples, logs),
            )
    return WeighedNetworks(cost, samples, logs)
