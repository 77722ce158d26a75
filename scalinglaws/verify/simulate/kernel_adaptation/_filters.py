"""Linear convolutional networks drawn from their posterior, on given data or on data of a teacher."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import afford, floats, generator, number, one_row, whole
from ....errors import refusal
from ._convolution import Convolution
from ._data import checked, reduced, unit_vector
from ._records import ConvolutionalSample
from ._sampler import planned, sample

Array = NDArray[np.float64]


def sample_convolutional(
    inputs: ArrayLike,
    labels: ArrayLike,
    *,
    channels: int,
    ridge: float,
    scale: float = 1.0,
    weight_variance: float = 1.0,
    readout_variance: float = 1.0,
    direction: ArrayLike | None = None,
    teacher: tuple[ArrayLike, ArrayLike] | None = None,
    chains: int = 4,
    draws: int = 500,
    warmup: int = 500,
    thinning: int = 1,
    duration: float = 1.5,
    acceptance: float = 0.8,
    planted: bool | int | None = 0,
    rng: np.random.Generator | int,
    on_failure: str = "raise",
) -> ConvolutionalSample:
    r"""Draw linear convolutional networks from their posterior, given a data set.

    .. math::

        f(x) = \sum_{i \le N,\, c \le C} a_{ic}\, w_c \cdot x_i, \qquad w_c \sim N\Big(0, \frac{\sigma_w^2}{S}\Big), \quad
        a_{ic} \sim N\Big(0, \frac{\sigma_a^2}{N C \chi}\Big), \quad y_\mu = f(x_\mu) + N\Big(0, \frac{\kappa}{\chi}\Big)

    The readout is integrated out: given the filters, labels are Gaussian with the kernel
    :math:`\frac{\sigma_a^2}{N} \sum_i x_i^\top \hat\Sigma x_i'`, :math:`\hat\Sigma = \frac1C \sum_c w_c w_c^\top`.

    Parameters
    ----------
    inputs : array_like, shape (P, N, S)
        Training points, each of N patches of size S; P = 0 samples the prior.
    labels : array_like, shape (P,)
        Their labels y.
    channels : int
        C >= 1.
    ridge : float
        :math:`\kappa > 0`, added to the kernel: the variance of the noise, times :math:`\chi`.
    scale : float
        :math:`\chi > 0`.
    weight_variance, readout_variance : float
        :math:`\sigma_w^2, \sigma_a^2 > 0`.
    direction : array_like, shape (S,), optional
        :math:`w_*`, normalized here, along which the filters' variance is recorded; the teacher's by default, or the first axis.
    teacher : pair of array_like, shapes (N,) and (S,), optional
        :math:`a^*` and :math:`w^*` of a target :math:`\sum_i a^*_i w^* \cdot x_i` against which networks are measured.
    chains, draws, warmup, thinning, duration, acceptance, rng, on_failure
        As for `sample_posterior`.
    planted : bool or int, optional
        How many chains start planted, with filters along the direction three times as large as drawn from the prior; the others
        start cold, from the prior. True is all of them, None every other one.

    Returns
    -------
    ConvolutionalSample
        Learnability, variances of the filters, energies and losses of every draw, with what tells whether the chains converged.

    Raises
    ------
    DomainError
        If an argument is out of range or shapes do not match.
    ConvergenceError
        If split R-hat exceeds 1.1 for the energy, a variance of the filters, the learnability or the train loss, one of these has
        less than ten effective draws for each chain, or more than 1 % of the trajectories diverge; with the result attached.
    ResourceError
        If data or result would need more than the memory budget (``SCALINGLAWS_MEMORY``, 4 GB by default).

    Notes
    -----
    Only :math:`\hat\Sigma` is sampled, whose prior is a Wishart distribution: through its triangular factor, of at most S (S + 1)/2
    entries, which are independent under the prior (Bartlett). The law is exactly that of :math:`\hat\Sigma` where the C S weights
    are sampled. A gradient takes of order :math:`p^2 d + p d S` operations, d = N S and p = min(P, d): more points than dimensions
    are rotated onto d of them, once.

    References
    ----------
    .. [1] M. S. Bartlett, Proc. R. Soc. Edinb. 53 (1934), 260 (the factor of a Wishart matrix).
    .. [2] N. Rubin, I. Seroussi, Z. Ringel, arXiv:2502.18553 (the network).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).standard_normal((60, 2, 3))
    >>> teacher = [0.6, 0.8], [1, 0, 0]
    >>> y = np.einsum("pis,i,s->p", x, *teacher)
    >>> found = sample_convolutional(x, y, channels=20, ridge=0.1, scale=20, teacher=teacher, draws=200, warmup=200, rng=1)
    >>> bool(found.learnability.mean() > 0.9), bool(found.along.mean() > found.across.mean())
    (True, True)
    """
    x, y, patches, patch_size = _patches(inputs, labels)
    count = whole("channels", channels)
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
    target = None if teacher is None else _teacher(teacher, patches, patch_size)
    along = unit_vector(
        target[1] if direction is None and target is not None else direction, patch_size
    )
    given = {
        "ridge": number("ridge", ridge, low=0, strict=True),
        "scale": number("scale", scale, low=0, strict=True),
        "weight_variance": number("weight_variance", weight_variance, low=0, strict=True),
        "readout_variance": number("readout_variance", readout_variance, low=0, strict=True),
    }
    afford(
        5.0 * plan.chains * plan.draws, "the chains", "use fewer chains, draws, patches or samples"
    )
    size, width = y.size, patches * patch_size
    afford(
        4.0 * size * width + 2.0 * min(size, width) ** 2 + 3.0 * patch_size**2,
        "the network's answers",
        "use fewer samples, patches or a smaller patch_size",
    )
    turned = _reflected(x.reshape(-1, patch_size), along).reshape(size, width)
    data = reduced(turned, y, given["ridge"], given["scale"])
    network = Convolution(data, patches, count, **given)
    if target is not None:
        wanted = np.multiply.outer(target[0], _reflected(target[1], along))
        square = float(np.vdot(wanted, wanted))

    def observe(
        position: Array, stream: np.random.Generator
    ) -> tuple[dict[str, Array | float], Array]:
        covariance, linear_map, fitted = network.mean(position)
        found: dict[str, Array | float] = {"along": float(covariance[0, 0])}
        if patch_size > 1:
            found["across"] = float(np.trace(covariance) - covariance[0, 0]) / (patch_size - 1)
        if target is not None:
            found["learnability"] = float(np.vdot(linear_map, wanted)) / square
        if size:
            found["train_loss"] = float(np.mean((fitted - y) ** 2))
        return found, fitted

    def scalars(kept: Mapping[str, Array]) -> dict[str, Array]:
        return {name: kept[name] for name in ("along", "across", "learnability", "train_loss")}

    return sample(ConvolutionalSample, "sample_convolutional", network, observe, scalars, plan, rng)


def convolutional_posterior(
    samples: int,
    *,
    patches: int,
    patch_size: int,
    channels: int,
    ridge: float,
    teacher: tuple[ArrayLike, ArrayLike] | None = None,
    rng: np.random.Generator | int,
    **options: object,
) -> ConvolutionalSample:
    r"""Draw linear convolutional networks from their posterior on standard normal inputs, labeled by a network of one filter.

    .. math:: y = \sum_{i \le N} a^*_i\, w^* \cdot x_i, \qquad x \sim N(0, I_{NS})

    Parameters
    ----------
    samples : int
        P >= 1, the number of training points.
    patches, patch_size, channels : int
        N, S and C.
    ridge : float
        :math:`\kappa`, as for `sample_convolutional`; labels carry no noise.
    teacher : pair of array_like, shapes (N,) and (S,), optional
        :math:`a^*` and :math:`w^*`; unit vectors in random directions by default.
    rng : Generator or int
        Source of randomness.
    **options
        All others of `sample_convolutional`.

    Returns
    -------
    ConvolutionalSample
        With learnability against this teacher, and variances along :math:`w^*`.

    Raises
    ------
    DomainError, ConvergenceError, ResourceError
        As `sample_convolutional`.

    Examples
    --------
    >>> found = convolutional_posterior(
    ...     30, patches=3, patch_size=5, channels=100, ridge=0.05, scale=50, draws=100, warmup=200, rng=0
    ... )
    >>> bool(found.learnability.mean() > 0.8)
    True
    """
    size, pieces, width = (
        whole("samples", samples),
        whole("patches", patches),
        whole("patch_size", patch_size),
    )
    afford(
        4.0 * size * pieces * width,
        "the data",
        "use fewer samples, patches or a smaller patch_size",
    )
    data, source = generator(rng).spawn(2)
    if teacher is None:
        pair = data.standard_normal(pieces), data.standard_normal(width)
        target = pair[0] / np.linalg.norm(pair[0]), pair[1] / np.linalg.norm(pair[1])
    else:
        target = _teacher(teacher, pieces, width)
    x = data.standard_normal((size, pieces, width))
    return sample_convolutional(
        x,
        (x @ target[1]) @ target[0],
        channels=channels,
        ridge=ridge,
        teacher=target,
        rng=source,
        **options,  # type: ignore[arg-type]
    )


def _patches(inputs: ArrayLike, labels: ArrayLike) -> tuple[Array, Array, int, int]:
    """Return points, one a row, labels, and the number and size of patches."""
    x = floats("inputs", inputs)
    if x.ndim != 3 or 0 in x.shape[1:]:
        raise refusal(
            "inputs", x.shape, f"must have shape (P, N, S); got shape {x.shape}", shown=False
        )
    flat, y = checked(x.reshape(len(x), x.shape[1] * x.shape[2]), labels)
    return flat, y, x.shape[1], x.shape[2]


def _teacher(teacher: object, patches: int, patch_size: int) -> tuple[Array, Array]:
    if not isinstance(teacher, (tuple, list)) or len(teacher) != 2:
        raise refusal(
            "teacher", teacher, "must be a pair: weights of patches, and a filter", shown=False
        )
    pair = one_row("teacher", teacher[0]), one_row("teacher", teacher[1])
    if (pair[0].size, pair[1].size) != (patches, patch_size) or not all(map(np.any, pair)):
        raise refusal(
            "teacher",
            (pair[0].size, pair[1].size),
            f"must be rows of {patches} and {patch_size} numbers, neither zero; "
            f"got {pair[0].size} and {pair[1].size}",
            shown=False,
        )
    return pair


def _reflected(vectors: Array, along: Array) -> Array:
    """Return vectors mirrored such that a unit vector becomes the first axis, or minus it."""
    # away from the nearer of the two, so that nothing cancels
    normal = along.copy()
    normal[0] += 1.0 if along[0] >= 0 else -1.0
    return vectors - np.multiply.outer(2 / float(normal @ normal) * (vectors @ normal), normal)
