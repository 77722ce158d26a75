"""Networks drawn from their posterior, on given data or on data of a teacher."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.polynomial.hermite_e import hermeval
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, choice, floats, generator, number, whole
from ....errors import refusal
from ._data import checked, odd_degrees, unit_vector
from ._network import ACTIVATIONS, Network, activate, component
from ._records import PosteriorSample, kurtosis
from ._sampler import planned, sample

Array = NDArray[np.float64]
Observed = dict[str, Array | float]


def log_posterior(
    weights: ArrayLike,
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    ridge: float,
    scale: float = 1.0,
    weight_variance: float = 1.0,
    readout_variance: float = 1.0,
    activation: str = "erf",
) -> tuple[float, Array]:
    r"""Compute the logarithm of the posterior density of hidden weights, and its gradient.

    .. math::

        \log p(w|y) = -\frac{d |w|^2}{2\sigma_w^2} - \frac{\chi}{2} y^\top (Q + \kappa)^{-1} y - \frac12 \log\det(Q + \kappa) + c,
        \qquad Q_{\mu\nu} = \frac{\sigma_a^2}{N} \sum_c \phi(w_c \cdot x_\mu) \phi(w_c \cdot x_\nu)

    Parameters
    ----------
    weights : array_like, shape (N, d)
        Hidden weights :math:`w_c`.
    inputs, labels, ridge, scale, weight_variance, readout_variance, activation
        As for `sample_posterior`.

    Returns
    -------
    tuple of float and ndarray
        Logarithm of the density up to the constant c, and its gradient, shape (N, d).

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.

    Examples
    --------
    >>> value, gradient = log_posterior([[0.5]], [[1.0], [2.0]], [1.0, 1.0], ridge=0.1)
    >>> round(value, 6), gradient.round(6)
    (-0.417839, array([[1.582275]]))
    """
    x, y = checked(inputs, labels)
    w = np.atleast_2d(floats("weights", weights))
    if w.ndim != 2 or w.shape[1] != x.shape[1]:
        raise refusal(
            "weights", w.shape, f"must have shape (N, {x.shape[1]}); got {w.shape}", shown=False
        )
    unit = math.sqrt(number("weight_variance", weight_variance, low=0, strict=True) / x.shape[1])
    network = _network(
        x,
        y,
        len(w),
        unit,
        ridge=ridge,
        scale=scale,
        readout_variance=readout_variance,
        activation=activation,
    )
    energy, gradient = network(np.ascontiguousarray(w / unit))
    return -energy, -gradient / unit


def sample_posterior(
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    neurons: int,
    ridge: float,
    scale: float = 1.0,
    weight_variance: float = 1.0,
    readout_variance: float = 1.0,
    activation: str = "erf",
    direction: ArrayLike | None = None,
    degrees: ArrayLike = (),
    test_inputs: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    chains: int = 4,
    draws: int = 500,
    warmup: int = 500,
    thinning: int = 1,
    duration: float = 1.5,
    acceptance: float = 0.8,
    planted: bool | int | None = None,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> PosteriorSample:
    r"""Draw networks of two layers from their posterior, given a data set.

    .. math::

        f(x) = \sum_{c=1}^N a_c\, \phi(w_c \cdot x), \qquad w_c \sim N\Big(0, \frac{\sigma_w^2}{d}\Big), \quad
        a_c \sim N\Big(0, \frac{\sigma_a^2}{N\chi}\Big), \quad y_\mu = f(x_\mu) + N\Big(0, \frac{\kappa}{\chi}\Big)

    Parameters
    ----------
    inputs : array_like, shape (P, d)
        Training points; P = 0 samples the prior.
    labels : array_like, shape (P,)
        Their labels y.
    neurons : int
        N >= 1.
    ridge : float
        :math:`\kappa > 0`, added to the kernel Q of `log_posterior`: the variance of the noise, times :math:`\chi`.
    scale : float
        :math:`\chi > 0`: 1 for the standard scale of outputs, of order N for the mean-field scale.
    weight_variance, readout_variance : float
        :math:`\sigma_w^2, \sigma_a^2 > 0`.
    activation : {"erf", "linear"}
        :math:`\phi`.
    direction : array_like, shape (d,), optional
        :math:`w_*` along which overlaps are recorded, normalized here; the first axis by default.
    degrees : array_like, shape (K,)
        Odd degrees k of Hermite polynomials of the direction whose coefficients in the mean network are recorded, exactly.
    test_inputs, test_labels : array_like, optional
        Points, shape (T, d), and labels, shape (T,), on which draws are tested.
    chains : int
        Independent chains, >= 2.
    draws : int
        Of each chain that are kept, >= 4.
    warmup : int
        Trajectories of each chain before that, during which the step size is adapted.
    thinning : int
        Trajectories per draw.
    duration : float
        Mean duration of a trajectory, in units in which the prior's period is :math:`2\pi`.
    acceptance : float
        Mean acceptance probability that the step size is adapted to, between 0 and 1.
    planted : bool or int, optional
        How many chains start planted, their weights along the direction three times as large as drawn from the prior; the others
        start cold, from the prior. True is all of them, None every other one.
    rng : Generator or int
        Source of randomness; each chain takes a stream spawned from it.
    on_failure : {"raise", "return"}
        What to do if chains do not agree.

    Returns
    -------
    PosteriorSample
        Overlaps, readouts, energies and losses of every draw, with what tells whether the chains converged.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ConvergenceError
        If split R-hat exceeds 1.1 for the energy, the mean squared overlap, the kurtosis of overlaps or the train loss, one of these
        has less than ten effective draws for each chain, or more than 1 % of the trajectories diverge; with the result attached.
    ResourceError
        If the result would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    Hamiltonian Monte Carlo of the hidden weights by leapfrog steps: trajectories of random duration, unit masses in units of the
    prior, step size by dual averaging, then frozen. A gradient takes :math:`P N (d + N)` operations. Reflections and permutations of
    neurons are symmetries that single chains break, so convergence is judged by quantities that have them. Chains that agree may
    still have missed a mode that none of them ever found.

    References
    ----------
    .. [1] M. D. Hoffman, A. Gelman, J. Mach. Learn. Res. 15 (2014), 1593 (dual averaging, section 3.2).
    .. [2] R. M. Neal, "MCMC using Hamiltonian dynamics", in Handbook of Markov Chain Monte Carlo, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((60, 2))
    >>> found = sample_posterior(x, x[:, 0], neurons=3, ridge=0.1, draws=200, warmup=200, rng=1)
    >>> bool(found.train_loss.mean() < 0.1), max(found.r_hat.values()) < 1.1
    (True, True)
    """
    x, y = checked(inputs, labels)
    count = whole("neurons", neurons)
    plan = planned(
        chains=chains,
        draws=draws,
        warmup=warmup,
        thinning=thinning,
        duration=duration,
        acceptance=acceptance,
        planted=planted,
        on_failure=on_failure,
    )
    listed = odd_degrees(degrees)
    along = unit_vector(direction, x.shape[1])
    test = checked(
        [] if test_inputs is None else test_inputs,
        [] if test_labels is None else test_labels,
        x.shape[1],
        "test_",
    )
    entries = (3.0 * count + len(listed)) * plan.chains * plan.draws + 2.0 * max(
        y.size, test[1].size
    ) * count
    afford(entries, "the chains", "use fewer chains, draws, neurons or samples")
    unit = math.sqrt(number("weight_variance", weight_variance, low=0, strict=True) / x.shape[1])
    given = {"ridge": ridge, "scale": scale, "readout_variance": readout_variance}
    network = _network(x, y, count, unit, activation=activation, along=along, **given)
    test_hidden = np.empty((test[1].size, count))

    def observe(position: Array, stream: np.random.Generator) -> tuple[Observed, Array]:
        weights = unit * position
        average, readout, fitted = network.readout(position, stream)
        overlaps, squared = weights @ along, np.sum(weights**2, axis=1)
        found: Observed = {
            "overlaps": overlaps,
            "squared_weights": squared,
            "readouts": readout,
        }
        if listed:
            found["components"] = np.array(
                [average @ component(k, overlaps, squared, activation) for k in listed]
            )
        if y.size:
            found["train_loss"] = float(np.mean((fitted - y) ** 2))
        if test[1].size:
            np.matmul(test[0], weights.T, out=test_hidden)
            activate(test_hidden, activation, np.empty_like(test_hidden))
            outputs, square = test_hidden @ average, float(test[1] @ test[1])
            found["test_loss"] = float(np.sum((outputs - test[1]) ** 2)) / square
            found["alignment"] = float(outputs @ test[1]) / square
        return found, fitted

    def scalars(kept: Mapping[str, Array]) -> dict[str, Array]:
        found = {
            "squared_overlap": np.mean(kept["overlaps"] ** 2, axis=-1),
            "kurtosis": kurtosis(kept["overlaps"]),
            "train_loss": kept["train_loss"],
            **{f"component_{k}": kept["components"][..., i] for i, k in enumerate(listed)},
        }
        if count == 1:
            del found["kurtosis"]
        return found

    return sample(PosteriorSample, "sample_posterior", network, observe, scalars, plan, rng)


def teacher_posterior(
    samples: int,
    *,
    dimension: int,
    neurons: int,
    ridge: float,
    target: ArrayLike = (0.0, 1.0),
    test_samples: int = 2000,
    rng: np.random.Generator | int,
    **options: object,
) -> PosteriorSample:
    r"""Draw networks from their posterior on Gaussian inputs, labeled by a polynomial of one direction.

    .. math:: y = \sum_k b_k\, He_k(x_1), \qquad x \sim N(0, I_d)

    Parameters
    ----------
    samples : int
        P >= 1, the number of training points.
    dimension, neurons : int
        d and N.
    ridge : float
        :math:`\kappa`, as for `sample_posterior`; labels carry no noise.
    target : array_like, shape (K,)
        :math:`b_k`, coefficients of probabilists' Hermite polynomials (whose squares average to k!).
    test_samples : int
        Fresh points on which draws are tested.
    rng : Generator or int
        Source of randomness.
    **options
        All others of `sample_posterior`.

    Returns
    -------
    PosteriorSample
        With overlaps along :math:`x_1`.

    Raises
    ------
    DomainError, ConvergenceError, ResourceError
        As `sample_posterior`.

    Examples
    --------
    >>> found = teacher_posterior(100, dimension=3, neurons=4, ridge=1.0, draws=100, warmup=200, rng=0)
    >>> bool(found.alignment.mean() > 0.9)
    True
    """
    size, fresh, d = (
        whole("samples", samples),
        whole("test_samples", test_samples),
        whole("dimension", dimension),
    )
    coefficients = floats("target", target)
    if coefficients.ndim != 1 or not np.all(np.isfinite(coefficients)) or not np.any(coefficients):
        raise refusal("target", target, "must be finite coefficients, not all zero")
    afford(float(size + fresh) * d, "the data", "use fewer samples or dimensions")
    data, source = generator(rng).spawn(2)
    x, z = data.standard_normal((size, d)), data.standard_normal((fresh, d))
    return sample_posterior(
        x,
        hermeval(x[:, 0], coefficients),
        neurons=neurons,
        ridge=ridge,
        test_inputs=z,
        test_labels=hermeval(z[:, 0], coefficients),
        rng=source,
        **options,  # type: ignore[arg-type]
    )


def _network(
    x: Array,
    y: Array,
    count: int,
    unit: float,
    *,
    ridge: float,
    scale: float,
    readout_variance: float,
    activation: str,
    along: Array | None = None,
) -> Network:
    choice("activation", activation, ACTIVATIONS)
    entries = 2.0 * y.size * count + float(min(y.size, count)) ** 2
    afford(entries, "the network's answers", "use fewer samples or neurons")
    return Network(
        unit * x,
        y,
        count,
        ridge=number("ridge", ridge, low=0, strict=True),
        scale=number("scale", scale, low=0, strict=True),
        readout_variance=number("readout_variance", readout_variance, low=0, strict=True),
        activation=activation,
        along=along,
    )
