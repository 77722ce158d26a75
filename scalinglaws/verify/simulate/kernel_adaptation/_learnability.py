"""How much of a target finite networks have learned at one number of samples: means over data sets, and gates on the chains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, flag, generator, whole
from ....results import Result
from ._filters import sample_convolutional
from ._gaussian_process import gaussian_process_component
from ._posterior import sample_posterior
from ._records import NetworkSample
from ._stratified import stratified_polynomial

Array = NDArray[np.float64]

MOST_R_HAT = 1.1
MOST_DEVIATIONS = 2.0
"""Gates: largest split R-hat, and standard errors between cold and planted chains."""


@dataclass(frozen=True)
class LearnabilityPoint(Result):
    r"""What was learned of a target at one number of samples, over several data sets.

    Attributes
    ----------
    learner : str
        What learned, with its sizes.
    dimension, samples : int
        d and P.
    values : ndarray, shape (data sets,)
        Posterior mean of the component of the network along the normalized target; 1 if it is learned.
    lazy : ndarray, shape (data sets,)
        The same of exact regression with the kernel of the infinitely wide network, on the same data. NaN where it was left out.
    cold, planted : ndarray, shape (data sets,)
        Means over chains that started from the prior, and with weights along the target enlarged. Empty without chains.
    noise : ndarray, shape (data sets,)
        Monte Carlo standard error of the difference of these two.
    r_hat : ndarray, shape (data sets,)
        Largest split R-hat of each data set's chains, over all scalars on which they must agree.
    troubles : tuple of str
        What else was wrong with chains.
    """

    learner: str
    dimension: int
    samples: int
    values: Array
    lazy: Array
    cold: Array
    planted: Array
    noise: Array
    r_hat: Array
    troubles: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        """Mean over data sets."""
        return float(np.mean(self.values))

    @property
    def error(self) -> float:
        """Its standard error over data sets."""
        return float(np.std(self.values, ddof=1)) / math.sqrt(self.values.size)

    @property
    def gap(self) -> float:
        """Mean of cold chains minus that of planted ones; 0 without chains."""
        return float(np.mean(self.cold - self.planted)) if self.cold.size else 0.0

    @property
    def gap_error(self) -> float:
        """Its standard error: from the chains' noise or over data sets, whichever is larger, so that neither is too small by chance."""
        if not self.cold.size:
            return 0.0
        chains = math.sqrt(float(np.sum(self.noise**2))) / self.noise.size
        scatter = float(np.std(self.cold - self.planted, ddof=1)) / math.sqrt(self.cold.size)
        return max(chains, scatter)

    @property
    def reason(self) -> str:
        """Why the point does not count: empty if it does."""
        if self.troubles:
            return "; ".join(self.troubles)
        worst = float(np.max(self.r_hat, initial=1.0))
        if not worst < MOST_R_HAT:
            return f"R-hat {worst:.3f}"
        if not abs(self.gap) <= MOST_DEVIATIONS * self.gap_error:
            return f"cold minus planted {self.gap:.4f} +- {self.gap_error:.4f}"
        return ""


def learnability_point(
    samples: int,
    *,
    dimension: int,
    neurons: int | None = None,
    ridge: float = 1.0,
    degree: int = 3,
    datasets: int = 6,
    lazy: bool = True,
    chains: int = 4,
    draws: int = 400,
    warmup: int = 200,
    rng: np.random.Generator | int,
    **options: object,
) -> LearnabilityPoint:
    r"""Measure what networks of two layers learn of a polynomial of one direction, on several data sets.

    .. math:: y = \frac{He_k(x_1)}{\sqrt{k!}}, \qquad \alpha = \Big\langle \bar f(x) \frac{He_k(x_1)}{\sqrt{k!}} \Big\rangle

    Labels carry no noise, :math:`x_1` is stratified (`stratified_polynomial`), and :math:`\alpha` follows exactly from the overlaps of
    every draw, averaged over its readout.

    Parameters
    ----------
    samples : int
        P >= 1.
    dimension : int
        d >= 1.
    neurons : int, optional
        N; d by default.
    ridge : float
        :math:`\kappa`, as for `sample_posterior`.
    degree : int
        k, odd, up to 39.
    datasets : int
        How many, >= 2.
    lazy : bool
        Whether regression with the kernel of infinite width is done, too, on the same data.
    chains, draws, warmup : int
        As for `sample_posterior`; every other chain starts planted.
    rng : Generator or int
        Source of randomness; each data set takes a stream spawned from it.
    **options
        All others of `sample_posterior`, such as `scale`.

    Returns
    -------
    LearnabilityPoint
        Chains that disagree raise nothing: ``reason`` says so.

    Raises
    ------
    DomainError, ResourceError
        As `sample_posterior`.

    Examples
    --------
    >>> found = learnability_point(60, dimension=2, datasets=2, chains=2, draws=100, warmup=100, rng=0)
    >>> found.learner, bool(found.mean > found.lazy.mean()), found.reason
    ('two layers, N = 2', True, '')
    """
    width = whole("dimension", dimension)
    count = width if neurons is None else whole("neurons", neurons)
    beside = flag("lazy", lazy)
    found = []
    for stream in generator(rng).spawn(_datasets(datasets)):
        data, source = stream.spawn(2)
        x, y = stratified_polynomial(samples, dimension=width, degree=degree, rng=data)
        sample = sample_posterior(
            x,
            y,
            neurons=count,
            ridge=ridge,
            degrees=[degree],
            chains=chains,
            draws=draws,
            warmup=warmup,
            rng=source,
            on_failure="return",
            **options,  # type: ignore[arg-type]
        )
        rest = {
            name: options[name]
            for name in ("weight_variance", "readout_variance", "activation")
            if name in options
        }
        other = (
            gaussian_process_component(x, y, ridge=ridge, degree=degree, **rest)  # type: ignore[arg-type]
            if beside
            else math.nan
        )
        found.append(_one(sample, sample.components[..., 0], f"component_{degree}", other))
    return _point(f"two layers, N = {count}", width, samples, found)


def convolutional_point(
    samples: int,
    *,
    patches: int,
    patch_size: int,
    channels: int,
    ridge: float = 1.0,
    datasets: int = 6,
    chains: int = 4,
    draws: int = 400,
    warmup: int = 200,
    rng: np.random.Generator | int,
    **options: object,
) -> LearnabilityPoint:
    r"""Measure what linear convolutional networks learn of a network of one filter, on several data sets of Gaussian inputs.

    .. math:: y = \sum_{i \le N} a^*_i\, w^* \cdot x_i, \qquad \alpha = \frac{\langle \bar f y \rangle}{\langle y^2 \rangle}

    with :math:`a^*` and :math:`w^*` unit vectors in random directions, and :math:`\alpha` exact from every draw's filters.

    Parameters
    ----------
    samples : int
        P >= 1.
    patches, patch_size, channels : int
        N, S and C; d = N S.
    ridge : float
        :math:`\kappa`, as for `sample_convolutional`.
    datasets : int
        How many, >= 2.
    chains, draws, warmup : int
        As for `sample_convolutional`; every other chain starts planted.
    rng : Generator or int
        Source of randomness; each data set takes a stream spawned from it.
    **options
        All others of `sample_convolutional`, such as `scale`.

    Returns
    -------
    LearnabilityPoint
        ``lazy`` is ridge regression with all weights free, the limit of many channels. Chains that disagree raise nothing.

    Raises
    ------
    DomainError, ResourceError
        As `sample_convolutional`.

    Examples
    --------
    >>> found = convolutional_point(
    ...     30, patches=3, patch_size=5, channels=100, scale=50, ridge=0.1, datasets=2, chains=2, draws=100, warmup=200, rng=0
    ... )
    >>> found.dimension, bool(np.all(found.values > found.lazy)), found.reason
    (15, True, '')
    """
    size, pieces, width = (
        whole("samples", samples),
        whole("patches", patches),
        whole("patch_size", patch_size),
    )
    runs = whole("chains", chains, low=2)
    afford(4.0 * size * pieces * width, "the data", "use fewer samples or a smaller patch_size")
    rest = {
        name: options[name] for name in ("weight_variance", "readout_variance") if name in options
    }
    found = []
    for stream in generator(rng).spawn(_datasets(datasets)):
        data, source = stream.spawn(2)
        pair = [row / np.linalg.norm(row) for row in map(data.standard_normal, (pieces, width))]
        x = data.standard_normal((size, pieces, width))
        sample = sample_convolutional(
            x,
            y := (x @ pair[1]) @ pair[0],
            channels=channels,
            ridge=ridge,
            teacher=(pair[0], pair[1]),
            chains=runs,
            draws=draws,
            warmup=warmup,
            planted=runs // 2,
            rng=source,
            on_failure="return",
            **options,  # type: ignore[arg-type]
        )
        other = gaussian_process_component(
            x.reshape(size, pieces * width),
            y,
            ridge=ridge,
            degree=1,
            direction=np.outer(*pair).ravel(),
            activation="linear",
            **rest,  # type: ignore[arg-type]
        )
        found.append(_one(sample, sample.learnability, "learnability", other))
    learner = f"linear, {pieces} patches of {width}, C = {whole('channels', channels)}"
    return _point(learner, pieces * width, size, found)


def gaussian_process_point(
    samples: int,
    *,
    dimension: int,
    ridge: float = 1.0,
    degree: int = 3,
    datasets: int = 6,
    rng: np.random.Generator | int,
    **options: object,
) -> LearnabilityPoint:
    r"""Measure what regression with the kernel of an infinitely wide network learns of a polynomial, on data as of `learnability_point`.

    Parameters
    ----------
    samples, dimension, ridge, degree, datasets, rng
        As for `learnability_point`.
    **options
        All others of `gaussian_process_component`.

    Returns
    -------
    LearnabilityPoint
        Without chains, so that it always counts.

    Raises
    ------
    DomainError, ResourceError
        As `gaussian_process_component`.

    Examples
    --------
    >>> found = gaussian_process_point(300, dimension=2, datasets=3, rng=0)
    >>> bool(0 < found.mean < 1), bool(found.error < 0.1)
    (True, True)
    """
    values = []
    for stream in generator(rng).spawn(_datasets(datasets)):
        data, _ = stream.spawn(2)
        x, y = stratified_polynomial(samples, dimension=dimension, degree=degree, rng=data)
        values.append(gaussian_process_component(x, y, ridge=ridge, degree=degree, **options))  # type: ignore[arg-type]
    rows, none = np.array(values), np.zeros(0)
    return LearnabilityPoint(
        "Gaussian process",
        whole("dimension", dimension),
        whole("samples", samples),
        rows,
        rows,
        *(none,) * 4,
    )


def _datasets(count: object) -> int:
    return whole("datasets", count, low=2)


def _one(sample: NetworkSample, drawn: Array, name: str, lazy: float) -> tuple[list[float], str]:
    """Return the numbers of one data set, and what was wrong with its chains beside R-hat."""
    means, planted = drawn.mean(axis=1), sample.planted
    chains = planted.size
    # the variance of a mean over all chains, shared out to those of each start
    noise = sample.standard_error[name] * math.sqrt(
        chains / max(int(np.sum(~planted)), 1) + chains / max(int(np.sum(planted)), 1)
    )
    cold, warm = (
        float(means[start].mean()) if np.any(start) else float(means.mean())
        for start in (~planted, planted)
    )
    status = sample.diagnostics.status
    slowest = min(sample.effective_size, key=lambda key: sample.effective_size[key])
    trouble = (
        f"{sample.divergences} trajectories diverge"
        if status.name == "LOST_ACCURACY"
        else f"{sample.effective_size[slowest]:.0f} effective draws of the {slowest.replace('_', ' ')}"
        if status.name == "UNDERSAMPLED"
        else ""
    )
    row = [float(means.mean()), lazy, cold, warm, noise, max(sample.r_hat.values())]
    return row, trouble


def _point(
    learner: str, dimension: int, samples: int, found: list[tuple[list[float], str]]
) -> LearnabilityPoint:
    values, lazy, cold, planted, noise, r_hat = np.array([row for row, _ in found]).T
    troubles = tuple(dict.fromkeys(trouble for _, trouble in found if trouble))
    return LearnabilityPoint(
        learner, dimension, samples, values, lazy, cold, planted, noise, r_hat, troubles
    )
