"""What a user describes: layers, their widths as powers of the input dimension, and the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from ...arguments import choice, flag, instance, whole
from ...errors import refusal
from ...reprs import short_repr
from ..parameters import to_exact

ACTIVATIONS = ("odd", "even", "generic", "linear")
_MAX_LAYERS, _MAX_DEGREE = 4, 12


def exponent_of(argument: str, value: Any) -> sp.Expr:
    """Read the exponent of a size: a number that is not negative, or an affine expression in symbols.

    Parameters
    ----------
    argument : str
        Name of the caller's argument, for error messages.
    value : number, str or Expr
        Floats are read as the decimals they print as; text as a formula whose symbols are positive.

    Returns
    -------
    Expr
        A rational number, or an affine expression with rational coefficients.

    Raises
    ------
    DomainError
        If it is negative, not rational, or not affine.
    """
    if isinstance(value, str):
        from ...parsing import parse_expression

        value = parse_expression(value, argument)
    if isinstance(value, sp.Expr) and value.free_symbols:
        symbols = sorted(value.free_symbols, key=str)
        if not value.is_polynomial(*symbols) or sp.Poly(value, *symbols).total_degree() > 1:
            raise refusal(argument, value, "must be an affine expression in its symbols")
        if not all(symbol.is_real and symbol.is_nonnegative for symbol in symbols):
            raise refusal(argument, value, ": symbols must be declared positive=True")
        coefficients = sp.Poly(value, *symbols).coeffs()
        if not all(entry.is_Rational for entry in coefficients):
            raise refusal(argument, value, "must have rational coefficients")
        return sp.expand(value)
    number = to_exact(value, argument)
    if not number.is_Rational:
        raise refusal(argument, value, "must be a rational number: exponents are exact")
    if number < 0:
        raise refusal(
            argument, value, f"must not be negative: a size d^{number} would fall below one"
        )
    return number


def transfer_order(start: int, end: int, activation: str) -> int | None:
    r"""Return the order in which an activation turns a feature of one degree into one of another.

    Neurons that carry amplitude u on :math:`He_k` have activations with squared overlap :math:`u^{2j}` with :math:`He_{k'}`, where j
    is the smallest number with :math:`j k \ge k'`, :math:`j k - k'` even and :math:`\phi^{(j)}(0) \ne 0`. The first power of
    :math:`He_k` contains no other degree: j = 1 is possible for k' = k only.

    Parameters
    ----------
    start, end : int
        Degrees k and k'.
    activation : {"odd", "even", "generic", "linear"}
        Which derivatives at zero vanish.

    Returns
    -------
    int or None
        j; None if there is none.

    Raises
    ------
    DomainError
        If a degree is no whole number from 1 to 12, or there is no such activation.

    Examples
    --------
    >>> transfer_order(1, 3, "odd"), transfer_order(3, 1, "odd"), transfer_order(1, 2, "odd"), transfer_order(1, 3, "generic")
    (3, 3, None, 3)
    """
    start = whole("start", start, high=_MAX_DEGREE)
    end = whole("end", end, high=_MAX_DEGREE)
    choice("activation", activation, ACTIVATIONS)
    if activation == "linear":
        return 1 if start == end else None
    for order in range(1 if start == end else 2, end + 3):
        parity = {"odd": order % 2 == 1, "even": order % 2 == 0, "generic": True}[activation]
        if parity and order * start >= end and (order * start - end) % 2 == 0:
            return order
    return None


@short_repr
@dataclass(frozen=True)
class Architecture:
    r"""A network with hidden layers of width :math:`N_l = d^{n_l}`, and the degree of its target.

    Attributes
    ----------
    width_exponents : tuple of Expr
        :math:`n_l`, from the input to the output; numbers or affine in symbols.
    degree : int
        m of the target :math:`He_m(x_1)`.
    activation : {"odd", "even", "generic", "linear"}
        Which derivatives of the activation at zero vanish; erf and tanh are odd, a shifted one is generic.
    fan_in : Expr
        s: a first-layer neuron sees :math:`S = d^s` inputs, its weights having variance 1/S.
    readout_multiplicity : Expr
        q: the readout has :math:`d^q` independent weights per channel, one per patch.
    weight_sharing : bool
        Whether all patches use the same hidden neurons; otherwise every patch pays for its own.
    tracked : tuple of int
        Degrees of the Hermite features that patterns may carry.

    Notes
    -----
    Use `fully_connected` or `convolutional` to build one: they fill in what follows from the rest.
    """

    width_exponents: tuple[sp.Expr, ...]
    degree: int = 1
    activation: str = "odd"
    fan_in: sp.Expr = sp.S.One
    readout_multiplicity: sp.Expr = sp.S.Zero
    weight_sharing: bool = True
    tracked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check every field once, and fill in the tracked features."""
        if isinstance(self.width_exponents, (str, sp.Basic)) or not isinstance(
            self.width_exponents, Iterable
        ):
            raise refusal(
                "width_exponents",
                self.width_exponents,
                "must be a sequence, one exponent per hidden layer",
            )
        widths = tuple(
            exponent_of(f"width_exponents[{number}]", value)
            for number, value in enumerate(self.width_exponents)
        )
        if not 1 <= len(widths) <= _MAX_LAYERS:
            raise refusal(
                "width_exponents", widths, f"must name one to {_MAX_LAYERS} hidden layers"
            )
        flag("weight_sharing", self.weight_sharing)
        object.__setattr__(self, "degree", whole("degree", self.degree, high=_MAX_DEGREE))
        choice("activation", self.activation, ACTIVATIONS)
        if transfer_order(1, self.degree, self.activation) is None:
            reach = {"odd": "odd degrees", "even": "even degrees", "linear": "degree 1"}[
                self.activation
            ]
            raise refusal(
                "degree",
                self.degree,
                f"cannot be reached: a network with {self.activation} activation expresses {reach} "
                "only; choose another target or activation",
            )
        instance("tracked", self.tracked, tuple, list)
        tracked = tuple(self.tracked) or (1, self.degree)
        if not all(
            isinstance(k, int) and not isinstance(k, bool) and 1 <= k <= self.degree
            for k in tracked
        ):
            raise refusal("tracked", tracked, f"must be degrees from 1 to {self.degree}")
        object.__setattr__(self, "width_exponents", widths)
        object.__setattr__(self, "weight_sharing", flag("weight_sharing", self.weight_sharing))
        object.__setattr__(self, "fan_in", exponent_of("fan_in", self.fan_in))
        object.__setattr__(
            self,
            "readout_multiplicity",
            exponent_of("readout_multiplicity", self.readout_multiplicity),
        )
        object.__setattr__(self, "tracked", tuple(sorted({1, self.degree, *tracked})))

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.width_exponents)

    @property
    def size_symbols(self) -> tuple[sp.Symbol, ...]:
        """Widths, fan-in and number of patches as symbols: N, d for one dense layer; N_1, N_2, d; C, S, N for patches."""
        dense = self.readout_multiplicity == 0 and self.fan_in == 1
        letter = "N" if dense else "C"
        names = (
            [letter]
            if self.depth == 1
            else [f"{letter}_{number}" for number in range(1, self.depth + 1)]
        )
        return tuple(
            sp.Symbol(name, positive=True)
            for name in (*names, *(("d", "q_0") if dense else ("S", "N")))
        )

    @property
    def size_exponents(self) -> tuple[sp.Expr, ...]:
        """Exponents of d in the sizes, in the order of `size_symbols`."""
        return (*self.width_exponents, self.fan_in, self.readout_multiplicity)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """Symbols in the exponents, in alphabetical order."""
        return tuple(
            sorted(set().union(*(entry.free_symbols for entry in self.size_exponents)), key=str)
        )


def fully_connected(
    width_exponents: Iterable[Any],
    degree: int,
    *,
    activation: str | None = None,
    tracked: Any = None,
) -> Architecture:
    """Describe a fully connected network with i.i.d. inputs in d dimensions and a Hermite target.

    Parameters
    ----------
    width_exponents : sequence of number, Expr or str
        n of each hidden layer, width d^n; rational, or affine in symbols.
    degree : int
        Degree m of the target He_m(x_1).
    activation : {"odd", "even", "generic", "linear"}, optional
        By default odd for odd degrees, and generic for even ones.
    tracked : {"all"} or iterable of int, optional
        Degrees that hidden layers may carry; 1 and m by default, "all" for every degree of the target's parity.

    Returns
    -------
    Architecture
        Ready for `sample_complexity`.

    Raises
    ------
    DomainError
        If a width exponent is negative, or the activation cannot reach the degree.

    Examples
    --------
    >>> fully_connected([1, "3/2"], 3).width_exponents
    (1, 3/2)
    """
    degree = whole("degree", degree, high=_MAX_DEGREE)
    chosen = activation if activation is not None else "odd" if degree % 2 else "generic"
    return Architecture(_listed(width_exponents), degree, chosen, tracked=_tracked(tracked, degree))


def convolutional(
    width_exponents: Iterable[Any],
    degree: int = 1,
    *,
    patch_exponent: Any = sp.S.Half,
    patches_exponent: Any = None,
    activation: str | None = None,
    weight_sharing: bool = True,
    tracked: Any = None,
) -> Architecture:
    r"""Describe a network whose first layer sees patches: :math:`f = \sum_{ic} a_{ic}\, \phi(w_c \cdot x_i)`.

    Parameters
    ----------
    width_exponents : sequence of number, Expr or str
        n of each hidden layer, which has d^n channels.
    degree : int
        Degree of the target in the projection of each patch on one direction.
    patch_exponent : number, Expr or str
        s: a patch has S = d^s inputs.
    patches_exponent : number, Expr or str, optional
        q: there are d^q patches; 1 - s by default, so that they cover the input once.
    activation : {"odd", "even", "generic", "linear"}, optional
        By default linear for degree 1, odd for other odd degrees, generic for even ones.
    weight_sharing : bool
        Whether patches share their channels; without it (locally connected) the cost of changing a layer is paid per patch.
    tracked : {"all"} or iterable of int, optional
        As for `fully_connected`.

    Returns
    -------
    Architecture
        Ready for `sample_complexity`.

    Examples
    --------
    >>> convolutional([sp.Rational(1, 2)]).readout_multiplicity
    1/2
    """
    degree = whole("degree", degree, high=_MAX_DEGREE)
    default = "linear" if degree == 1 else "odd" if degree % 2 else "generic"
    patch = exponent_of("patch_exponent", patch_exponent)
    if patches_exponent is None:
        patches = sp.expand(1 - patch)
        if patches.is_number and patches < 0:
            raise refusal(
                "patch_exponent", patch, "must be at most 1: a patch is a part of the input"
            )
    else:
        patches = exponent_of("patches_exponent", patches_exponent)
    return Architecture(
        _listed(width_exponents),
        degree,
        activation or default,
        patch,
        patches,
        weight_sharing,
        _tracked(tracked, degree),
    )


def _listed(width_exponents: Any) -> Any:
    """Freeze a list; what is no sequence is refused by the architecture itself."""
    return (*width_exponents,) if isinstance(width_exponents, list) else width_exponents


def _tracked(tracked: Any, degree: int) -> tuple[int, ...]:
    if isinstance(tracked, str):
        if tracked != "all":
            raise refusal("tracked", tracked, "must be 'all' or degrees")
        return tuple(range(2 - degree % 2, degree + 1, 2))
    if tracked is None:
        return ()
    if not isinstance(tracked, Iterable):
        raise refusal("tracked", tracked, "must be 'all' or degrees")
    given: tuple[int, ...] = tuple(tracked)
    return given


@short_repr
@dataclass(frozen=True)
class Attention:
    r"""One softmax attention head on sequences of length :math:`L = d^{\ell}`, and the target that needs its pattern.

    .. math:: f = L^{-1/2} \sum_{ab} p_{ab}\, w \cdot x^b,\quad p_{ab} \propto e^{-x^a A x^b},\quad y = \tfrac1L \sum_{ab} x^a_1 x^b_2 x^b_3

    Attributes
    ----------
    length_exponent : Expr
        :math:`\ell`.
    score_exponent, value_exponent : Expr
        The priors of the entries of A and w have standard deviations :math:`d^{-a}` and :math:`d^{-v}`.
    """

    length_exponent: sp.Expr = sp.S.One
    score_exponent: sp.Expr = sp.S.One
    value_exponent: sp.Expr = sp.S.Half

    def __post_init__(self) -> None:
        """Check the exponents."""
        for name in ("length_exponent", "score_exponent", "value_exponent"):
            object.__setattr__(self, name, exponent_of(name, getattr(self, name)))

    @property
    def size_symbols(self) -> tuple[sp.Symbol, ...]:
        """The length, and one over the standard deviations of scores and values."""
        return tuple(sp.Symbol(name, positive=True) for name in "LAW")

    @property
    def size_exponents(self) -> tuple[sp.Expr, ...]:
        """Exponents of d in the sizes, in the order of `size_symbols`."""
        return (self.length_exponent, self.score_exponent, self.value_exponent)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """Symbols in the exponents, in alphabetical order."""
        return tuple(
            sorted(set().union(*(entry.free_symbols for entry in self.size_exponents)), key=str)
        )


def attention(
    length_exponent: Any, *, score_exponent: Any = 1, value_exponent: Any = sp.S.Half
) -> Attention:
    """Describe a softmax attention head.

    Parameters
    ----------
    length_exponent : number, Expr or str
        Sequences have length L = d^l.
    score_exponent, value_exponent : number, Expr or str
        Prior standard deviations of scores and values, d^-a and d^-v; 1/d and d^(-1/2) keep both of order one for inputs in d dimensions.

    Returns
    -------
    Attention
        Ready for `sample_complexity`.

    Examples
    --------
    >>> attention(1).size_exponents
    (1, 1, 1/2)
    """
    return Attention(length_exponent, score_exponent, value_exponent)
