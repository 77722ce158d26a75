r"""Spectra: power laws to infinite size, and spectra given mode by mode.

A solver needs a spectrum only through sums :math:`\sum_k f(\lambda_k, s_k)` of smooth functions. A power law of any size is
therefore merged into a few hundred weighted modes by quadrature; a measured spectrum is used as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import afford, floats, instance, number, numbers, whole, whole_or_inf
from ..equality import by_value
from ..errors import DomainError, refusal
from ..notation import SourceCapacity
from ..reprs import short_repr
from ._merging import parts_of_octaves, places, power_tail
from ._samples import SMALLEST_EIGENVALUE, of_features, of_gram

Array = NDArray[np.float64]

_DEPTH = 70  # octaves to which an infinite spectrum is resolved by default
_LISTED = 100_000  # modes of a Zipf-Mandelbrot law that are kept one by one
_MOST = 1e300  # modes
_SMALLEST = (
    960  # octaves that an eigenvalue may fall and still be a normal number with room to spare
)


@short_repr
@dataclass(frozen=True)
@by_value
class Modes:
    """Weighted modes.

    Attributes
    ----------
    eigenvalues : ndarray, shape (n,)
        Variance of each mode.
    multiplicities : ndarray, shape (n,)
        How many modes each one stands for.
    signal : ndarray, shape (n,)
        Signal power, summed over the modes it stands for.
    size : float
        Number of modes of the spectrum, possibly infinite.
    """

    eigenvalues: Array
    multiplicities: Array
    signal: Array
    size: float


@short_repr
@dataclass(frozen=True)
class PowerLawSpectrum:
    r"""Eigenvalues and signal that fall as powers of the mode number.

    .. math:: \lambda_k = k^{-\alpha}, \qquad s_k = \lambda_k (w_k^*)^2 = k^{-(\alpha\beta + 1)}, \qquad k = 1 \dots M

    Parameters
    ----------
    alpha : float
        Capacity, > 0; infinite size needs ``alpha > 1``.
    beta : float
        Source, > 0.
    size : float
        M, a whole number >= 1 or ``math.inf``.

    Raises
    ------
    DomainError
        If an exponent or the size is outside these ranges.

    Examples
    --------
    >>> spectrum = PowerLawSpectrum.from_ab(a=2, b=1.5)
    >>> spectrum.modes().eigenvalues.size
    813
    """

    alpha: float
    beta: float
    size: float = math.inf

    def __post_init__(self) -> None:
        """Check the ranges."""
        task = SourceCapacity(self.alpha, self.beta)
        object.__setattr__(self, "alpha", float(task.alpha))
        object.__setattr__(self, "beta", float(task.beta))
        modes = whole_or_inf("size", self.size)
        size = math.inf if modes is None else float(modes)
        if modes is None and not self.alpha > 1:
            raise refusal(
                "alpha",
                self.alpha,
                "with size = inf has an infinite trace; give alpha > 1 or a finite size",
            )
        object.__setattr__(self, "size", size)

    @classmethod
    def from_ab(cls, a: float, b: float, size: float = math.inf) -> PowerLawSpectrum:
        """Build the spectrum with signal ``k^-a`` and eigenvalues ``k^-b``."""
        task = SourceCapacity.from_ab(a, b)
        return cls(task.alpha, task.beta, size)

    @property
    def task(self) -> SourceCapacity:
        """Source and capacity."""
        return SourceCapacity(self.alpha, self.beta)

    @property
    def signal_exponent(self) -> float:
        """Decay exponent of the signal, alpha*beta + 1."""
        return self.alpha * self.beta + 1

    def explicit(self) -> tuple[Array, Array]:
        """Return all eigenvalues and signals one by one, shape (M,) each; the size must be finite."""
        if not math.isfinite(self.size):
            raise refusal("size", self.size, "cannot be listed mode by mode; give a finite size")
        afford(3.0 * self.size, "the list of modes", "give a smaller size")
        k = np.arange(1.0, self.size + 1)
        return k**-self.alpha, k**-self.signal_exponent

    def depth_for(self, count: ArrayLike, ridge: ArrayLike) -> int:
        r"""Return how many octaves the spectrum must be resolved to.

        Parameters
        ----------
        count : array_like
            Smaller one of features and samples, possibly infinite.
        ridge : array_like
            Ridge, or the size of the Laplace variable.

        Returns
        -------
        int
            So many octaves beyond the last learned mode that degrees of freedom and losses are off by less than 1e-10, relative.
            A finite spectrum is resolved to its end, unless its last eigenvalues would not be normal numbers.

        Raises
        ------
        DomainError
            If the eigenvalues there are too small for floating-point numbers.
        """
        counts = numbers("count", count, low=0.0, infinite=True)
        ridges = numbers("ridge", ridge, low=0.0, infinite=True)
        limit = self._limit
        if self.size <= 2.0**limit:
            return limit
        with np.errstate(divide="ignore", over="ignore"):
            learned = np.minimum(counts, ridges ** (-1 / self.alpha))
        most = float(np.max(learned, where=np.isfinite(learned), initial=1.0))
        # what is dropped beyond: of the degrees of freedom a part (K/k)^-(2 alpha - 1), of the loss (K/k)^-(alpha + alpha beta)
        beyond = max(34 / max(2 * self.alpha - 1, 0.1), 37 / (self.alpha * (1 + self.beta)))
        needed = math.ceil(math.log2(most)) + math.ceil(beyond) + 1
        if needed > limit:
            raise refusal(
                "ridge",
                most,
                f"learning {most:.1e} modes of a spectrum with alpha = {self.alpha} needs eigenvalues "
                "below 1e-290; use fewer features or samples, or a larger ridge",
                named=False,
            )
        return (
            limit
            if math.isfinite(self.size)
            else min(limit, max(_DEPTH, 10 * math.ceil(needed / 10)))
        )

    @property
    def _limit(self) -> int:
        """Octaves after which eigenvalues, or mode numbers, would leave the range of floating-point numbers."""
        return min(1020, math.floor(_SMALLEST / self.alpha))

    def modes(self, depth: int = _DEPTH) -> Modes:
        r"""Merge the spectrum into a few hundred weighted modes.

        Parameters
        ----------
        depth : int
            Octaves to which an infinite spectrum is resolved; the rest becomes a single mode with the right
            trace and signal. A finite spectrum is resolved to its end.

        Returns
        -------
        Modes
            Positive weights: a legal spectrum in its own right.

        Notes
        -----
        The first 32 modes one by one; each octave after that (part of one for alpha > 5 or a signal exponent above 12) by the
        12-point Gauss rule of the discrete uniform measure (exact for polynomials up to degree 23, no end corrections).
        Statics from the merged spectrum agree with explicit sums over 1e5 modes to 1e-15. About 12 modes per octave, 0.6 ms.
        """
        return _merged(
            self.alpha,
            self.signal_exponent,
            self.size,
            self._limit if math.isfinite(self.size) else min(depth, self._limit),
        )


_COLUMNS: tuple[tuple[str, Callable[[Array], NDArray[np.bool_]], str], ...] = (
    (
        "eigenvalues",
        lambda array: array > SMALLEST_EIGENVALUE,
        "> 1e-290 (drop modes without variance: what the target has there acts as noise)",
    ),
    ("signal", lambda array: array >= 0, ">= 0"),
    ("multiplicities", lambda array: array > 0, "> 0"),
)


@short_repr
@dataclass(frozen=True)
@by_value
class EmpiricalSpectrum:
    r"""A spectrum given mode by mode, or level by level where modes are degenerate.

    Parameters
    ----------
    eigenvalues : array_like, shape (n,)
        :math:`\lambda_k > 0` (above 1e-290), in any order.
    signal : array_like, shape (n,)
        :math:`s_k = \lambda_k |w_k^*|^2 \ge 0`, the power of the target in each mode; where a level has many modes, their sum.
    multiplicities : array_like, shape (n,), optional
        How many modes have each eigenvalue, > 0; up to 1e300 in all. One each by default. They need not be whole numbers: a
        quadrature rule's weights will do, wherever modes are not listed one by one.

    Attributes
    ----------
    size : float
        Number of modes, the sum of the multiplicities.

    Raises
    ------
    DomainError
        If the shapes differ, or a value is not finite and in range; the message names the first one.

    See Also
    --------
    EmpiricalSpectrum.from_features, EmpiricalSpectrum.from_gram : from data.
    EmpiricalSpectrum.zipf_mandelbrot : ranks of a natural language.

    Examples
    --------
    >>> EmpiricalSpectrum([1.0, 0.5], [0.5, 0.25]).size
    2.0

    The linear, quadratic and cubic polynomials on a sphere in 100 dimensions:

    >>> EmpiricalSpectrum([1e-2, 1e-4, 1e-6], [0.5, 0.3, 0.2], [100, 5049, 171600]).size
    176749.0
    """

    eigenvalues: ArrayLike
    signal: ArrayLike
    multiplicities: ArrayLike | None = None
    size: float = field(init=False)

    def __post_init__(self) -> None:
        """Check and copy the arrays."""
        if self.multiplicities is None:
            shape = floats("eigenvalues", self.eigenvalues, "must be real numbers").shape
            object.__setattr__(self, "multiplicities", np.ones(shape))
        for name, good, allowed in _COLUMNS:
            object.__setattr__(self, name, _column(name, getattr(self, name), good, allowed))
        for name in ("signal", "multiplicities"):
            if np.shape(self.eigenvalues) != np.shape(getattr(self, name)):
                raise refusal(
                    name,
                    np.shape(getattr(self, name)),
                    f"has {np.size(getattr(self, name))} modes, eigenvalues {np.size(self.eigenvalues)}",
                    shown=False,
                )
        eigenvalues, multiplicities = np.asarray(self.eigenvalues), np.asarray(self.multiplicities)
        with np.errstate(over="ignore", under="ignore"):
            size = float(np.sum(multiplicities))
            if not np.isfinite(multiplicities @ eigenvalues + np.sum(self.signal)):
                raise refusal(
                    "eigenvalues",
                    None,
                    "or signal add up to more than floating-point numbers hold",
                    shown=False,
                )
        if size > _MOST:
            raise refusal("multiplicities", size, f"must add up to at most {_MOST:g}", named=False)
        with np.errstate(over="ignore"):
            if not np.isfinite(np.sum(np.asarray(self.signal) / np.asarray(self.eigenvalues))):
                raise refusal(
                    "signal",
                    None,
                    "divided by eigenvalues, the squared coefficients of the target, adds up to more than floating-point "
                    "numbers hold",
                    shown=False,
                )
        object.__setattr__(self, "size", size)

    @classmethod
    def from_features(cls, features: ArrayLike, labels: ArrayLike) -> EmpiricalSpectrum:
        r"""Read the spectrum off features and labels: eigenvalues and signal of the sample, plugged in.

        With the singular value decomposition :math:`X = \sqrt{n}\, U \Lambda^{1/2} V^T`,

        .. math:: \lambda_k = \Lambda_{kk}, \qquad s_k = \frac1n |u_k^T y|^2

        Parameters
        ----------
        features : array_like, shape (n, d)
            One row per example. Nothing is centered or scaled.
        labels : array_like, shape (n,) or (n, outputs)
            Targets; the signal is summed over outputs. Classes are one-hot rows or -1 and 1, as numbers.

        Returns
        -------
        EmpiricalSpectrum
            Modes of positive variance in falling order, at most min(n, d). What the labels have outside of them,
            ``np.mean(np.sum(y**2, axis=-1)) - np.sum(spectrum.signal)``, is no signal that these features can learn; give it to a
            solver as ``noise_variance``.

        Raises
        ------
        DomainError
            If the shapes do not fit, an entry is not finite, or all features are zero.
        ResourceError
            If the decomposition does not fit into the memory budget.

        Notes
        -----
        A plain plug-in of the sample, with its bias. The largest eigenvalues come out too large and the smallest too
        small: features of equal variance give eigenvalues between :math:`(1 \mp \sqrt{d/n})^2` times it, and modes beyond n are
        missing altogether. Noise of variance :math:`\sigma^2` in the labels adds :math:`\sigma^2/n` to the signal of every mode. Both
        are small only for modes far above the end, :math:`k \ll n`. Cost :math:`O(n d \min(n, d))`.

        Examples
        --------
        From a file written by ``numpy.save("features.npy", X)``, with targets in ``labels.npy``::

            EmpiricalSpectrum.from_features(np.load("features.npy"), np.load("labels.npy"))

        >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        >>> spectrum = EmpiricalSpectrum.from_features(X, X @ [1.0, 2.0])
        >>> spectrum.eigenvalues.round(12), spectrum.signal.round(12)
        (array([2. , 0.5]), array([2., 2.]))
        """
        return cls(*of_features(features, labels))

    @classmethod
    def from_gram(cls, gram: ArrayLike, labels: ArrayLike) -> EmpiricalSpectrum:
        r"""Read the spectrum off a Gram matrix of kernel values and labels.

        With the eigenvectors :math:`K u_k = n \lambda_k u_k`, :math:`|u_k| = 1`, the signal is :math:`s_k = |u_k^T y|^2/n`: what
        `from_features` gives for features with :math:`K = X X^T`, bias included.

        Parameters
        ----------
        gram : array_like, shape (n, n)
            :math:`K_{ij} = K(x_i, x_j)`, symmetric and positive semidefinite. Nothing is centered or scaled.
        labels : array_like, shape (n,) or (n, outputs)
            Targets, as in `from_features`.

        Returns
        -------
        EmpiricalSpectrum
            Modes of positive variance in falling order; those below the rounding of the largest one are left out.

        Raises
        ------
        DomainError
            If the matrix is not square, symmetric or positive semidefinite (beyond rounding), or the labels do not fit.
        ResourceError
            If the decomposition does not fit into the memory budget.

        Notes
        -----
        Cost :math:`O(n^3)`: 0.3 s at n = 1000.

        Examples
        --------
        >>> K = np.array([[2.0, 1.0], [1.0, 2.0]])
        >>> spectrum = EmpiricalSpectrum.from_gram(K, [1.0, 1.0])
        >>> spectrum.eigenvalues.round(12), spectrum.signal.round(12)
        (array([1.5, 0.5]), array([1., 0.]))
        """
        return cls(*of_gram(gram, labels))

    @classmethod
    def zipf_mandelbrot(
        cls, a: float, b: float, size: float, *, signal_exponent: float | None = None
    ) -> EmpiricalSpectrum:
        r"""Build the spectrum of a Zipf-Mandelbrot law, as of the words of a language.

        .. math:: \lambda_k = (k + b)^{-a}, \qquad s_k = (k + b)^{-c}, \qquad k = 1 \dots M

        Parameters
        ----------
        a : float
            Exponent of the frequencies, > 0; natural text has a near 1.
        b : float
            Shift of the ranks, > -1; 0 is Zipf's law, natural text has 2 to 3.
        size : float
            M, a whole number >= 1, up to 1e20.
        signal_exponent : float, optional
            c > 0; by default a, a target that gives every word the same weight.

        Returns
        -------
        EmpiricalSpectrum
            All modes up to a size of 100 000. Beyond, weighted ones that stand for them, as in `PowerLawSpectrum.modes`: sums
            over them agree with those over all modes to 1e-13, but they cannot be listed.

        Raises
        ------
        DomainError
            If an argument is out of range.

        Examples
        --------
        >>> EmpiricalSpectrum.zipf_mandelbrot(1, 2, 4).eigenvalues.round(4)
        array([0.3333, 0.25  , 0.2   , 0.1667])
        """
        exponent = number("a", a, low=0.0, strict=True)
        shift = number("b", b, low=-1.0, strict=True)
        modes = float(whole("size", size, high=10**20))
        power = (
            exponent
            if signal_exponent is None
            else number("signal_exponent", signal_exponent, low=0.0, strict=True)
        )
        if modes <= _LISTED:
            k, weights = np.arange(1.0, modes + 1), None
        else:
            k, weights = places(modes, parts_of_octaves(exponent, power))
        counts = 1.0 if weights is None else weights
        with np.errstate(over="ignore", under="ignore"):
            return cls((k + shift) ** -exponent, counts * (k + shift) ** -power, weights)

    def explicit(self) -> tuple[Array, Array]:
        """Return eigenvalues and signals of all modes, shape (M,) each; a level's signal is shared out evenly.

        Raises
        ------
        DomainError
            If multiplicities are not whole numbers.
        ResourceError
            If so many modes do not fit into the memory budget.
        """
        eigenvalues, signal = np.asarray(self.eigenvalues), np.asarray(self.signal)
        counts = np.asarray(self.multiplicities)
        if np.all(counts == 1):
            return eigenvalues, signal
        if np.any(counts != np.floor(counts)):
            first = int(np.flatnonzero(counts != np.floor(counts))[0])
            raise refusal(
                "multiplicities",
                counts[first],
                "must be whole numbers where modes are listed one by one",
                at=first,
            )
        afford(2 * self.size, f"the list of {self.size:.3g} modes", "use fewer modes")
        times = counts.astype(int)
        return np.repeat(eigenvalues, times), np.repeat(signal / counts, times)

    def depth_for(self, count: ArrayLike, ridge: ArrayLike) -> int:
        """Return the depth argument of `modes`, which a finite spectrum does not need."""
        return 0

    def modes(self, depth: int = 0) -> Modes:
        """Return the levels, each with its multiplicity."""
        return Modes(
            np.asarray(self.eigenvalues),
            np.asarray(self.multiplicities),
            np.asarray(self.signal),
            self.size,
        )


Spectrum = PowerLawSpectrum | EmpiricalSpectrum


def one_spectrum(spectrum: Spectrum, *misplaced: object, **before: object) -> Spectrum:
    """Return a spectrum; refuse anything else, and say in which order arguments come.

    Parameters
    ----------
    spectrum : PowerLawSpectrum or EmpiricalSpectrum
        What was given for it.
    *misplaced
        What was given by position after a spectrum that comes first.
    **before
        The argument that comes before the spectrum, if one does, by its name.

    Returns
    -------
    PowerLawSpectrum or EmpiricalSpectrum
        The spectrum.

    Raises
    ------
    DomainError
        If it is none, or if what was given stands in another order.

    Examples
    --------
    >>> one_spectrum(PowerLawSpectrum(2, 1, 5)).size
    5.0
    """
    kinds = (PowerLawSpectrum, EmpiricalSpectrum)
    if misplaced:
        complaint = "the spectrum comes first, everything else by name, as samples=100"
        raise refusal("spectrum", spectrum, complaint, named=False)
    for name, value in before.items():
        if isinstance(value, kinds):
            raise refusal(name, value, f"{name} comes first, the spectrum second", named=False)
    if not isinstance(spectrum, kinds):
        raise refusal("spectrum", spectrum, "must be a PowerLawSpectrum or an EmpiricalSpectrum")
    return spectrum


def _column(
    name: str, given: ArrayLike, good: Callable[[Array], NDArray[np.bool_]], allowed: str
) -> Array:
    """Return a checked, read-only copy of one array of a spectrum."""
    array = np.array(floats(name, given, "must be real numbers"))  # its own
    if array.ndim != 1 or array.size == 0:
        raise refusal(
            name,
            array.shape,
            f"must be a non-empty one-dimensional array; got shape {array.shape}",
            shown=False,
        )
    wrong = ~(np.isfinite(array) & good(array))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise refusal(name, array[first], f"must be finite and {allowed}", at=first)
    array.setflags(write=False)
    return array


@lru_cache(maxsize=256)
def _merged(alpha: float, signal_exponent: float, size: float, depth: int) -> Modes:
    last = min(size, 2.0**depth)
    k, c = places(last, parts_of_octaves(alpha, signal_exponent))
    eigenvalues, multiplicities, signal = k**-alpha, c, c * k**-signal_exponent
    if size > last:
        # The modes beyond the last octave are never learned: only their total variance and total signal matter.
        tail = power_tail(alpha, last, size)
        average = max(tail / (size - last), 1e-3 * last**-alpha)
        eigenvalues = np.append(eigenvalues, average)
        multiplicities = np.append(multiplicities, tail / average)
        signal = np.append(signal, power_tail(signal_exponent, last, size))
    for array in (eigenvalues, multiplicities, signal):
        array.setflags(write=False)
    return Modes(eigenvalues, multiplicities, signal, size)


def depth(
    name: str, spectrum: Spectrum, count: Array, ridge: Array, *, smaller: bool = True
) -> int:
    """Return how deep a spectrum must be resolved for Laplace variables of size `ridge`; blame `name` where that is too deep."""
    instance("spectrum", spectrum, PowerLawSpectrum, EmpiricalSpectrum)
    try:
        return spectrum.depth_for(count, ridge)
    except DomainError as failure:
        message = f"{failure}".partition(";")[0]
        advice = (
            f"fewer features or samples, or a smaller {name}" if smaller else f"a larger {name}"
        )
        raise refusal(name, failure.value, f"{message}; use {advice}", named=False) from None
