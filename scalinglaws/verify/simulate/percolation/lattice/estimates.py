"""Exponents and thresholds from samples of lattices, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from .....arguments import choice, instance, number, several, whole
from .....errors import refusal
from .records import LatticeEstimate, LatticeSamples, OccupationSweep, counted
from .sweep import canonical

Array = NDArray[np.float64]

# first and last power of 4 at which windows begin: above corrections to scaling, below the lattice's own size
_WINDOWS = {2: (4, 7), 3: (4, 6), 4: (4, 4), 5: (4, 4), 6: (3, 5)}
_BELOW_LARGEST = 64  # how far below the largest cluster's size L^D the windows must end
_TAILS = {"lattice": "tail_clusters", "site_rooted": "tail_roots"}


def fisher_exponent(
    samples: LatticeSamples, *, powers: tuple[int, int] | None = None
) -> LatticeEstimate:
    r"""Measure the exponent of the numbers of clusters by size, :math:`n_s\sim s^{-\tau}`, from the tail of sites.

    The share F(s) of sites in clusters of at least s sites falls as :math:`s^{2-\tau}`. With F averaged over samples, a window gives

    .. math:: \tau = 2 + \log_4 \frac{F(s)}{F(4s)},

    and the estimate is the mean over windows that begin at successive powers of 4.

    Parameters
    ----------
    samples : LatticeSamples
        At the percolation threshold, with periodic boundaries: free ones raise the estimate.
    powers : pair of int, optional
        First and last window: s = 4^first, ..., 4^last. By default, for 2 to 6 dimensions, (4, 7), (4, 6), (4, 4), (4, 4), (3, 5), fit
        for lattices of some 1.7e7 sites; smaller lattices need smaller s, since :math:`s\ll L^D`.

    Returns
    -------
    LatticeEstimate
        The exponent, that of every window, and jackknife standard errors over samples (infinite for a single one). The systematic
        error is the largest difference of neighboring windows, that below the first one included: estimates rise with s by
        corrections to scaling, so that the windows of small lattices, and of five dimensions and more, are low. At the default sizes
        0.02 in five dimensions and 0.07 in six (where corrections are logarithms, and differences of windows fall short of them).

    Raises
    ------
    DomainError
        If no windows are given where there is no default, or a sample average has no cluster that large.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import sample_lattices
    >>> found = fisher_exponent(sample_lattices(256, 2, occupation=0.5927, samples=8), powers=(3, 5))
    >>> 2 < found.value < 2.1
    True
    """
    instance("samples", samples, LatticeSamples)
    tails = samples.tail_sites
    return _slopes(
        samples, tails, powers, lambda ratios: 2 + ratios, "site-weighted tail over factors of 4"
    )


def fisher_windows(samples: LatticeSamples, *, dimension: float) -> tuple[int, int]:
    r"""Choose the windows from which lattices of any length tell the exponent of cluster numbers.

    Windows are those of `fisher_exponent`, as far as they end a factor of 64 or more below the size :math:`L^D` of the largest
    cluster; shorter lattices have fewer of them, and at smaller sizes.

    Parameters
    ----------
    samples : LatticeSamples
        At the percolation threshold, in two dimensions or more.
    dimension : float
        D > 0, of the largest cluster at the threshold.

    Returns
    -------
    pair of int
        First and last window, the `powers` of `fisher_exponent`.

    Raises
    ------
    DomainError
        If the exponent cannot be estimated: boundaries are free, or the lattice is too small. The message says which.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import sample_lattices
    >>> fisher_windows(sample_lattices(256, 2, occupation=0.5927, samples=8), dimension=91 / 48)
    (3, 3)
    """
    instance("samples", samples, LatticeSamples)
    if samples.periodic is not True:
        raise refusal(
            "samples", samples, "tau is not estimated: free boundaries bias it", named=False
        )
    first, last = _WINDOWS.get(samples.dimension, _WINDOWS[max(_WINDOWS)])
    end = number("dimension", dimension, low=0.0, high=samples.dimension, strict=True) * math.log(
        samples.length, 4
    )
    last = min(last, math.floor(end - math.log(_BELOW_LARGEST, 4) + 1e-9) - 1)
    first = min(first, last)
    if first < 1 or samples.tail_sites[:, last + 1].sum() == 0:
        raise refusal(
            "samples", samples, "tau is not estimated: the lattice is too small", named=False
        )
    return first, last


def rank_exponent(
    samples: LatticeSamples, *, ensemble: str, powers: tuple[int, int] | None = None
) -> LatticeEstimate:
    r"""Measure how cluster sizes fall with their rank, :math:`s_k\sim k^{-g}`.

    The rank R(s) of a cluster of s sites is the number of clusters that are as large or larger, averaged over samples. A window gives

    .. math:: g = 1 / \log_4 \frac{R(s)}{R(4s)} .

    Parameters
    ----------
    samples : LatticeSamples
        At the percolation threshold.
    ensemble : str
        ``"lattice"``: every cluster of a lattice is counted once. ``"site_rooted"``: clusters are those of random occupied sites, and
        counted as often as they are drawn.
    powers : pair of int, optional
        As in `fisher_exponent`.

    Returns
    -------
    LatticeEstimate
        g, that of every window, jackknife standard errors over samples (infinite for a single one), and as the systematic error the
        largest difference of neighboring windows, that below the first one included.

    Raises
    ------
    DomainError
        If the ensemble is unknown, no windows are given where there is no default, or no cluster is that large.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import sample_lattices
    >>> samples = sample_lattices(256, 2, occupation=0.5927, samples=8)
    >>> rank_exponent(samples, ensemble="lattice", powers=(2, 3)).value < 1.5
    True
    >>> rank_exponent(samples, ensemble="site_rooted", powers=(2, 3)).value > 5
    True
    """
    instance("samples", samples, LatticeSamples)
    choice("ensemble", ensemble, _TAILS)
    with np.errstate(divide="ignore"):  # equal ranks: sizes that fall infinitely fast
        return _slopes(
            samples,
            getattr(samples, _TAILS[ensemble]),
            powers,
            lambda ratios: 1 / ratios,
            f"ranks of the {ensemble} ensemble",
        )


def fractal_dimension(groups: Sequence[LatticeSamples]) -> LatticeEstimate:
    r"""Measure the dimension D of the largest cluster at the threshold, :math:`\langle s_{\max}\rangle\sim L^D`.

    Parameters
    ----------
    groups : sequence of LatticeSamples
        At least two lengths L, at least two samples of each, all of one dimension and occupation; in any order.

    Returns
    -------
    LatticeEstimate
        The weighted least-squares slope of :math:`\log\langle s_{\max}\rangle` against log L, and the local slopes between successive
        lengths, at whose smaller one they are listed. The systematic error is the largest difference of successive slopes.

    Raises
    ------
    DomainError
        If there are too few lengths or samples, or lattices are of different kinds, or empty.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import sample_lattices
    >>> groups = [sample_lattices(length, 2, occupation=0.5927, samples=50, roots=0) for length in (16, 64)]
    >>> abs(fractal_dimension(groups).value - 1.9) < 0.1
    True
    """
    ordered = sorted(several("groups", groups, LatticeSamples), key=lambda group: int(group.length))
    lengths = np.array([group.length for group in ordered], float)
    kinds = {(group.dimension, group.occupation, group.kind, group.periodic) for group in ordered}
    if (
        len(kinds) != 1
        or lengths.size < 2
        or np.any(np.diff(lengths) == 0)
        or min(group.largest.size for group in ordered) < 2
    ):
        raise refusal(
            "groups",
            groups,
            "must be two or more lengths of one kind of lattice, each with two or more samples",
            shown=False,
        )
    means = np.array([group.largest.mean() for group in ordered])
    if means.min() == 0:
        raise refusal("groups", groups, "must have clusters; all sites are empty", shown=False)
    errors = (
        np.array([group.largest.std(ddof=1) / math.sqrt(group.largest.size) for group in ordered])
        / means
    )
    x, y = np.log(lengths), np.log(means)
    steps = np.diff(x)
    local, local_errors = np.diff(y) / steps, np.hypot(errors[1:], errors[:-1]) / steps
    weights = 1 / np.maximum(errors, 1e-12) ** 2  # fully occupied lattices do not fluctuate
    centered = x - weights @ x / weights.sum()
    spread = weights @ centered**2
    value, error = float(weights @ (centered * y) / spread), float(1 / math.sqrt(spread))
    total = sum(group.largest.size for group in ordered)
    return LatticeEstimate(
        value,
        error,
        lengths[:-1],
        local,
        local_errors,
        counted("largest cluster against length", total, error / abs(value)),
        systematic_error=_unevenness(local),
    )


def crossing(
    small: Sequence[OccupationSweep],
    large: Sequence[OccupationSweep],
    *,
    dimension: float,
    bracket: tuple[float, float],
) -> LatticeEstimate:
    r"""Find the occupation at which :math:`\langle s_{\max}\rangle / L^D` is the same for two lengths.

    Parameters
    ----------
    small, large : sequence of OccupationSweep
        Independent portions of the samples of the smaller and the larger lattice, two or more of each, of equal numbers of samples.
    dimension : float
        D > 0, of the largest cluster at the threshold.
    bracket : pair of float
        Occupations between which the curves cross once.

    Returns
    -------
    LatticeEstimate
        The crossing, with a jackknife standard error over portions.

    Raises
    ------
    DomainError
        If there are too few portions, lattices do not differ in length alone, or the curves do not cross in the bracket.

    Examples
    --------
    >>> from scalinglaws.verify.simulate.percolation import newman_ziff
    >>> sweeps = [[newman_ziff(length, 2, samples=20, first=20 * i) for i in range(5)] for length in (16, 32)]
    >>> found = crossing(*sweeps, dimension=91 / 48, bracket=(0.5, 0.7))
    >>> abs(found.value - 0.593) < 0.02
    True
    """
    groups = (
        several("small", small, OccupationSweep),
        several("large", large, OccupationSweep),
    )
    for name, group in zip(("small", "large"), groups, strict=True):
        if (
            len(group) < 2
            or len(
                {
                    (part.length, part.dimension, part.kind, part.periodic, part.samples)
                    for part in group
                }
            )
            != 1
        ):
            raise refusal(
                name,
                group,
                "must be two or more portions of equal lattices and numbers of samples",
                shown=False,
            )
    one, other = groups[0][0], groups[1][0]
    if not (
        one.length < other.length
        and (one.dimension, one.kind, one.periodic) == (other.dimension, other.kind, other.periodic)
    ):
        raise refusal(
            "large",
            large,
            "small and large must be lattices of one kind, the second longer",
            named=False,
        )
    number("dimension", dimension, low=0, strict=True)
    if not isinstance(bracket, (tuple, list)) or len(bracket) != 2:
        raise refusal("bracket", bracket, "must be two numbers, the lower one first")
    low, high = (number("bracket", end, low=0.0, high=1.0) for end in bracket)
    scales = [float(part.length) ** -dimension for part in (one, other)]

    def root(without: tuple[int, int]) -> float:
        """Return the crossing without one portion of each group, or with all for -1."""

        def apart(p: float) -> float:
            values = []
            for group, scale, left_out in zip(groups, scales, without, strict=True):
                kept = [
                    float(canonical(part, p).largest)
                    for i, part in enumerate(group)
                    if i != left_out
                ]
                values.append(scale * sum(kept) / len(kept))
            return float(values[1] - values[0])

        if not apart(low) * apart(high) < 0:
            raise refusal(
                "bracket",
                bracket,
                f"the curves must cross between bracket = {bracket}",
                named=False,
            )
        return float(brentq(apart, low, high, xtol=1e-10))

    value, variance = root((-1, -1)), 0.0
    for which, group in enumerate(groups):
        left = np.array([root((i, -1) if which == 0 else (-1, i)) for i in range(len(group))])
        variance += (left.size - 1) * float(np.mean((left - left.mean()) ** 2))
    error = math.sqrt(variance)
    total = sum(part.samples for group in groups for part in group)
    return LatticeEstimate(
        value,
        error,
        np.array([one.length], float),
        np.array([value]),
        np.array([error]),
        counted("crossing of the largest clusters", total, error / value),
    )


def _slopes(
    samples: LatticeSamples,
    tails: NDArray[np.int64],
    powers: tuple[int, int] | None,
    convert: Callable[[Array], Array],
    method: str,
) -> LatticeEstimate:
    """Return the mean over windows of what the logarithmic ratio of a tail says, with jackknife errors."""
    chosen = _WINDOWS.get(samples.dimension) if powers is None else powers
    if chosen is None:
        raise refusal(
            "powers", powers, f"must be given in dimension {samples.dimension}", shown=False
        )
    if not isinstance(chosen, (tuple, list)) or len(chosen) != 2:
        raise refusal("powers", chosen, "must be two whole numbers >= 0, in order")
    begin, end = (whole("powers", entry, low=0) for entry in chosen)
    if not begin <= end:
        raise refusal("powers", chosen, "must be two whole numbers >= 0, in order")
    if end + 1 >= tails.shape[1] or tails[:, end + 1].sum() == 0:
        raise refusal("powers", chosen, f"ask for clusters of 4^{end + 1} sites; there are none")
    used = tails[:, begin : end + 2].astype(float)
    below = tails[:, max(begin - 1, 0) : end + 2].sum(axis=0, dtype=float)
    total, count = used.sum(axis=0), used.shape[0]

    def windows(sums: Array) -> Array:
        return convert(np.log(sums[..., :-1] / sums[..., 1:]) / math.log(4))

    local = windows(total)
    value, error, local_errors = float(local.mean()), math.inf, np.full(local.size, math.inf)
    left = total - used
    if count > 1 and left.min() > 0:
        found = windows(left)
        local_errors = np.sqrt((count - 1) * np.mean((found - found.mean(axis=0)) ** 2, axis=0))
        means = found.mean(axis=1)
        error = float(np.sqrt((count - 1) * np.mean((means - means.mean()) ** 2)))
    return LatticeEstimate(
        value,
        error,
        np.power(4.0, np.arange(begin, end + 1), dtype=np.float64),
        local,
        local_errors,
        counted(method, count, error / abs(value)),
        systematic_error=_unevenness(windows(below)),
    )


def _unevenness(local: Array) -> float | None:
    """Return by how much neighboring estimates differ at most; None for one estimate, which has no neighbor."""
    return float(np.abs(np.diff(local)).max()) if local.size > 1 else None
