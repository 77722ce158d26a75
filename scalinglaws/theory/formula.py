"""What a theory states: laws with their derivation, validity and source.

A `Law` is queried like a function. Its exponent is not stored: it is derived from the model's own equation when it is
first asked for, and `Law.derive` does the same for a model that nobody has shipped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from numbers import Rational as RationalNumber
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from ..errors import AccuracyWarning, ConvergenceError, DomainError, unknown_name
from ..notation import CONVENTIONS, convention
from .derivation import DEFINITION, EQUAL, Derivation, Relation, Step, StepCheck, asymptotic, balance, solves, step
from .relations import against_zero, strongest

__all__ = [
    "DEFINITION",
    "EQUAL",
    "Derivation",
    "Derived",
    "ImplicitConstant",
    "Law",
    "Published",
    "Reference",
    "Regime",
    "Relation",
    "Step",
    "StepCheck",
    "asymptotic",
    "balance",
    "solves",
    "step",
]

STANDINGS = ("derived", "exact", "asymptotic", "heuristic", "ansatz", "numerical")


@dataclass(frozen=True)
class Reference:
    """A source, down to the equation.

    Attributes
    ----------
    key : str
        Citation key.
    authors, title, venue : str
        As in a bibliography.
    year : int
        Of the version cited.
    identifier : str
        ``arXiv:...`` or ``doi:...``.
    place : str
        Equation or section.
    """

    key: str
    authors: str
    title: str
    venue: str
    year: int
    identifier: str
    place: str = ""

    def at(self, place: str) -> Reference:
        """Return the same source with an equation or section."""
        return replace(self, place=place)

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}), {self.identifier}" + (f", {self.place}" if self.place else "")


@dataclass(frozen=True)
class Published:
    """A formula as it is printed elsewhere, and why this package says something else.

    Attributes
    ----------
    expr : Expr
        The printed exponent, in (alpha, beta).
    reason : str
        Where it stops being right.
    reference : Reference
        Where it is printed.
    """

    expr: sp.Expr
    reason: str
    reference: Reference


@dataclass(frozen=True)
class Regime:
    """One branch of a law.

    Attributes
    ----------
    name : str
        What dominates.
    condition : Basic
        Where; ``true`` if everywhere.
    exponent : Expr
        g in ``constant * x**-g * log(x)**log_power``.
    constant : Expr
        Leading constant.
    log_power : int
        Power of the logarithm, 1 on a boundary and 0 elsewhere.
    """

    name: str
    condition: sp.Basic
    exponent: sp.Expr
    constant: sp.Expr
    log_power: int = 0


@dataclass(frozen=True)
class Derived:
    """The outcome of a derivation.

    Attributes
    ----------
    regimes : tuple of Regime
        All branches, boundaries included.
    conditions : tuple of Relational
        What the derivation had to assume.
    derivation : Derivation
        The steps.
    """

    regimes: tuple[Regime, ...]
    conditions: tuple[sp.Basic, ...]
    derivation: Derivation

    @cached_property
    def expr(self) -> sp.Expr:
        """The exponent: the slowest decay among the regimes."""
        return sp.Min(*(regime.exponent for regime in self.regimes))

    @cached_property
    def constant(self) -> sp.Expr:
        """The leading constant, by regime."""
        if len(self.regimes) == 1:
            return self.regimes[0].constant
        return sp.Piecewise(*((regime.constant, regime.condition) for regime in self.regimes))


@dataclass(frozen=True)
class ImplicitConstant:
    """A constant without closed form: the root of an equation in a bracket, to any number of digits.

    Attributes
    ----------
    equation : Expr
        Vanishes at the constant.
    unknown : Symbol
        The symbol that stands for it.
    bracket : tuple
        Two numbers between which the equation changes sign once.

    Examples
    --------
    >>> x = sp.Symbol("x")
    >>> print(mpmath.nstr(ImplicitConstant(sp.cos(x) - x, x, (0, 1)).evaluate(25), 25))
    0.7390851332151606416553121
    """

    equation: sp.Expr
    unknown: sp.Symbol
    bracket: tuple[Any, Any]

    def evaluate(self, digits: int = 15) -> Any:
        """Solve the equation.

        Parameters
        ----------
        digits : int
            Significant digits.

        Returns
        -------
        mpmath.mpf
            The constant.

        Raises
        ------
        DomainError
            If the equation does not change sign over the bracket.
        ConvergenceError
            If the root is not found to the digits asked for.
        """
        if self.equation.free_symbols != {self.unknown}:
            raise DomainError(f"{self.equation} must depend on {self.unknown} alone", argument="equation", value=self.equation)
        function = sp.lambdify(self.unknown, self.equation, "mpmath")
        # a root much smaller than the bracket, or next to a cancellation, needs more digits than are asked for
        for precision in (digits + 10, 2 * digits + 20, 4 * digits + 40):
            with mpmath.workdps(precision):
                root = self._solve(function, digits, precision)
            if root is not None:
                break
        else:
            raise ConvergenceError(f"no root of {self.equation} to {digits} digits in {self.bracket}")
        with mpmath.workdps(digits):
            return +root

    def _solve(self, function: Callable[[Any], Any], digits: int, precision: int) -> Any:
        """Return the root if the equation provably changes sign within the last digit asked for, else None."""
        low, high = (mpmath.mpf(str(sp.N(end, precision))) for end in self.bracket)
        try:
            ends = [function(low), function(high)]
        except ZeroDivisionError:
            raise DomainError(f"{self.equation} is infinite at an end of {self.bracket}", argument="bracket", value=self.bracket) from None
        if mpmath.sign(ends[0]) * mpmath.sign(ends[1]) > 0:
            raise DomainError(f"{self.equation} does not change sign over {self.bracket}", argument="bracket", value=self.bracket)
        unit = max(map(abs, ends))  # the size of the equation must not matter
        root = mpmath.findroot(
            lambda x: function(x) / unit,
            (low, high),
            solver="illinois",
            tol=mpmath.mpf(10) ** (5 - precision),
            maxsteps=10 * precision,
            verify=False,
        )
        width = abs(root) * mpmath.mpf(10) ** -digits or mpmath.mpf(10) ** -digits
        around = [function(root - width), function(root + width)]
        certain = mpmath.sign(around[0]) * mpmath.sign(around[1]) <= 0 and max(map(abs, around)) <= unit / 10
        return root if certain else None


@dataclass(frozen=True)
class Law:
    """A scaling law.

    Attributes
    ----------
    name : str
        ``theory.quantity``, as in the catalogue.
    statement : str
        One line.
    quantity : str
        What scales.
    variable : Symbol
        With what; ``quantity ~ constant * variable**-expr``.
    symbols : mapping of str to str
        Parameters of the exponent and what they mean.
    reference : tuple of Reference
        Sources.
    standing : str
        ``derived``, ``exact``, ``asymptotic``, ``heuristic``, ``ansatz`` or ``numerical``.
    model : object
        The model the law is derived from by default.
    derive : callable
        From any model of that kind to `Derived`.
    published : Published or None
        A different formula printed elsewhere.
    notation : str
        Key of `scalinglaws.notation.CONVENTIONS` in which formulas are written.

    Notes
    -----
    What is derived when first asked for: `expr` (the exponent), `constant`, `regimes`, `validity` and `derivation`.

    Examples
    --------
    >>> from scalinglaws import theory
    >>> law = theory.law("linear.data")
    >>> law.expr
    Min(2*alpha, alpha*beta)
    >>> law(alpha=Fraction(3, 2), beta=Fraction(2, 3))
    1
    >>> law.in_notation("bordelon")(a=5, b=1.5)
    3.0
    """

    name: str
    statement: str
    quantity: str
    variable: sp.Symbol
    symbols: Mapping[str, str]
    reference: tuple[Reference, ...]
    standing: str
    model: Any
    derive: Callable[[Any], Derived]
    published: Published | None = None
    notation: str = "capacity"

    def __post_init__(self) -> None:
        """Refuse an unknown standing."""
        if self.standing not in STANDINGS:
            raise DomainError(
                f"standing = {self.standing!r} must be one of {', '.join(STANDINGS)}", argument="standing", value=self.standing
            )

    # -- what was derived -------------------------------------------------------------------------------------------

    @cached_property
    def derived(self) -> Derived:
        """The outcome of the derivation, made when it is first asked for."""
        return self.derive(self.model)

    @property
    def derivation(self) -> Derivation:
        """The steps, in canonical symbols."""
        return self.derived.derivation

    @cached_property
    def expr(self) -> sp.Expr:
        """The exponent g > 0 of ``variable**-g``."""
        return self._write(self.derived.expr)

    @cached_property
    def constant(self) -> sp.Expr:
        """The leading constant, a Piecewise where regimes differ."""
        return self._write(self.derived.constant)

    @cached_property
    def regimes(self) -> tuple[Regime, ...]:
        """The branches of the law."""
        return tuple(
            Regime(entry.name, self._write(entry.condition), self._write(entry.exponent), self._write(entry.constant), entry.log_power)
            for entry in self.derived.regimes
            if self._write(entry.condition) != sp.false
        )

    @cached_property
    def validity(self) -> tuple[sp.Basic, ...]:
        """Conditions on the parameters; outside them the law says nothing."""
        canonical = CONVENTIONS["capacity"].parameters
        known = [name for name in canonical if self.notation != "capacity" or name in self.symbols]
        conditions = [*(sp.Gt(sp.Symbol(name, positive=True), 0, evaluate=False) for name in known), *self.derived.conditions]
        entry = CONVENTIONS[self.notation]
        signs = [
            sp.Gt(self._symbol(name), 0, evaluate=False)
            for name, positive in zip(entry.parameters, entry.positive, strict=True)
            if positive and name in self.symbols
        ]
        return strongest([*map(self._write, conditions), *signs])

    @cached_property
    def published_expr(self) -> sp.Expr | None:
        """The exponent printed elsewhere, in this law's notation; None where nobody prints another."""
        return None if self.published is None else self._write(self.published.expr)

    # -- asking for numbers -----------------------------------------------------------------------------------------

    def __call__(self, *, digits: int | None = None, outside: str = "raise", **values: Any) -> Any:
        """Evaluate the exponent.

        Parameters
        ----------
        digits : int, optional
            Return an mpmath number with that many digits.
        outside : {"raise", "mask"}
            What to do outside the validity region: raise, or return a masked array.
        **values
            Parameters of the current notation. Integers, fractions and SymPy rationals give an exact answer, floats a
            float, arrays broadcast.

        Returns
        -------
        Rational, float, mpf or ndarray
            The exponent.

        Raises
        ------
        DomainError
            If a parameter is unknown, missing or outside the validity region; the message names the condition.
        """
        return self._evaluate(self.expr, values, digits=digits, outside=outside)

    def published_value(self, **values: Any) -> Any:
        """Evaluate the exponent as printed elsewhere; raises `DomainError` if no other formula is known."""
        if self.published_expr is None:
            raise DomainError(f"{self.name} is printed nowhere in a different form", argument="published", value=self.name)
        return self._evaluate(self.published_expr, values)

    def regime(self, **values: Any) -> str:
        """Name the branch that holds at the given parameters."""
        return self._regime(values).name

    def log_power(self, **values: Any) -> int:
        """Return the power of the logarithm that multiplies the law at the given parameters: 0 off all boundaries."""
        return self._regime(values).log_power

    def asymptote(self, x: Any, **values: Any) -> Any:
        r"""Evaluate the leading term itself, :math:`c\,x^{-g}\log^{l} x`.

        Parameters
        ----------
        x : float or array_like
            Values of the law's variable, > 1.
        **values
            Parameters, as for calling the law; scalars.

        Returns
        -------
        float or ndarray
            The leading term, without the corrections that fade as x grows; on a boundary those fade only as 1/log(x).

        Warns
        -----
        AccuracyWarning
            Next to a boundary, where the leading term alone is off by more than 10 % at the smallest x.
        """
        regime = self._regime(values)
        exact = {name: _exact(value) for name, value in self._inputs(values, regime.constant.free_symbols).items()}
        exponent, constant = (float(entry.subs(exact)) for entry in (regime.exponent, regime.constant))
        try:
            points = np.asarray(x, float)
        except (TypeError, ValueError):
            points = np.array(np.nan)
        if not np.all(points > 1):
            raise DomainError(f"x = {x!r} must be a number above 1, or several", argument="x", value=x)
        with np.errstate(over="ignore"):
            # one power of exp instead of a product, which would be 0 * inf at infinite x
            growth = np.where(
                np.isinf(points), -np.inf, -exponent * np.log(points) + regime.log_power * np.log(np.log(np.minimum(points, 1e300)))
            )
        value = constant * np.exp(growth)
        self._warn_near_boundary(regime, exact, points)
        return float(value) if value.ndim == 0 else value

    def _warn_near_boundary(self, regime: Regime, exact: Mapping[sp.Symbol, sp.Expr], points: Any) -> None:
        """Warn where the term that was left out is not small: next to a boundary both grow, with opposite signs."""
        smallest = float(np.min(points))
        for other in self.regimes:
            if regime.log_power or other.log_power or other is regime:
                continue
            gap = float((other.exponent - regime.exponent).subs(exact))
            ratio = sp.Abs(sp.N((other.constant / regime.constant).subs(exact)))
            if ratio.is_finite and float(ratio) * smallest**-gap > 0.1:
                warnings.warn(
                    f"{self.name}: at these parameters, close to the boundary between '{regime.name}' and '{other.name}', the leading "
                    "term alone is off by more than 10 %; use larger x, parameters on the boundary itself, or the solver",
                    AccuracyWarning,
                    stacklevel=3,
                )

    def in_notation(self, name: str) -> Law:
        """Return the same law written in another paper's symbols.

        Parameters
        ----------
        name : str
            Key of `scalinglaws.notation.CONVENTIONS`.

        Returns
        -------
        Law
            Same derivation; `expr`, `constant`, `validity`, `published_expr` and calls use the new symbols.

        Examples
        --------
        >>> from scalinglaws import theory
        >>> theory.law("linear.data").in_notation("bordelon").expr
        Min(2*b, a - 1)
        """
        entry = convention(name)
        if self.notation == "capacity" and not set(self.symbols) <= set(convention("capacity").parameters):
            raise DomainError(
                f"{self.name} has parameters other than alpha and beta: only its own notation is available", argument="name", value=name
            )
        if name not in self._written:
            law = replace(self, notation=name, symbols=dict(zip(entry.parameters, entry.meanings, strict=True)))
            vars(law)["derived"] = self.derived  # one derivation for all notations
            self._written[name] = law
        return self._written[name]

    @cached_property
    def _written(self) -> dict[str, Law]:
        return {}

    # -- internals --------------------------------------------------------------------------------------------------

    def _symbol(self, name: str) -> sp.Symbol:
        """Return the printed symbol of a parameter name in the current notation."""
        entry = CONVENTIONS[self.notation]
        printed = dict(zip(entry.parameters, zip(entry.symbols, entry.positive, strict=True), strict=True))
        symbol, positive = printed.get(name, (name, True))
        return sp.Symbol(symbol, positive=True) if positive else sp.Symbol(symbol, real=True)

    def _write(self, expr: sp.Basic) -> sp.Basic:
        """Rewrite an expression from (alpha, beta) into the current notation."""
        if self.notation == "capacity":
            return expr
        entry = CONVENTIONS[self.notation]
        alpha, beta = entry.to_canonical(*(self._symbol(name) for name in entry.parameters))
        written = expr.subs(
            {sp.Symbol("alpha", positive=True): sp.Symbol("_alpha", positive=True), sp.Symbol("beta", positive=True): beta}
        ).subs(sp.Symbol("_alpha", positive=True), alpha)
        return _tidy(written)

    def _known(self, values: Mapping[str, Any]) -> None:
        for name in values:
            if name not in self.symbols:
                raise unknown_name(f"parameter of {self.name}", name, self.symbols)

    def _inputs(self, values: Mapping[str, Any], needed: set[sp.Symbol]) -> dict[sp.Symbol, Any]:
        self._known(values)
        given = {self._symbol(name): value for name, value in values.items()}
        missing = [name for name in self.symbols if self._symbol(name) in needed and name not in values]
        if missing:
            raise DomainError(
                f"{self.name} needs {', '.join(missing)} ({'; '.join(self.symbols[name] for name in missing)})",
                argument=missing[0],
                value=None,
            )
        return given

    def _evaluate(self, expr: sp.Expr, values: Mapping[str, Any], *, digits: int | None = None, outside: str = "raise") -> Any:
        if outside not in ("raise", "mask"):
            raise DomainError(f"outside = {outside!r} must be 'raise' or 'mask'", argument="outside", value=outside)
        if digits is not None and (isinstance(digits, bool) or not isinstance(digits, int) or digits < 1):
            raise DomainError(f"digits = {digits!r} must be a whole number >= 1", argument="digits", value=digits)
        given = self._inputs(values, expr.free_symbols)
        checked = [condition for condition in self.validity if condition.free_symbols <= given.keys()]
        if any(np.ndim(value) > 0 for value in given.values() if isinstance(value, (np.ndarray, list, tuple))):
            if digits is not None:
                raise DomainError("digits goes with single numbers, not with arrays", argument="digits", value=digits)
            return _evaluate_arrays(self.name, expr, checked, given, outside)
        given = {name: value.item() if isinstance(value, np.ndarray) else value for name, value in given.items()}
        exact = {name: _exact(value) for name, value in given.items()}
        for condition in checked:
            if not bool(condition.subs(exact)):
                if outside == "mask":
                    return np.ma.masked
                raise _outside(self.name, condition, values)
        result = expr.subs(exact)
        if digits is not None:
            with mpmath.workdps(digits):
                return mpmath.mpf(sp.N(result, digits)._mpf_)
        if any(not _is_exact(value) for value in given.values()):
            return float(result)
        return result

    def _regime(self, values: Mapping[str, Any]) -> Regime:
        self._evaluate(self.expr, values)
        needed = set().union(*(regime.condition.free_symbols for regime in self.regimes))
        given = self._inputs(values, needed)
        exact = {name: _exact(value) for name, value in given.items()}
        if any(not _is_exact(value) for value in given.values()):
            # arithmetic on floats misses a boundary by rounding: (4.6 - 1)/1.8 is not quite 2
            for regime in self.regimes:
                if regime.log_power and all(_nearly(relation, exact) for relation in sp.And.make_args(regime.condition)):
                    return regime
        for regime in self.regimes:
            if bool(regime.condition.subs(exact)):
                return regime
        raise DomainError(f"no regime of {self.name} holds at {_show(values)}", argument="values", value=dict(values))


def _nearly(relation: sp.Basic, exact: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether a condition holds, equalities up to rounding errors of floats."""
    if relation.is_Relational and relation.rel_op == "==":
        left, right = float(relation.lhs.subs(exact)), float(relation.rhs.subs(exact))
        return abs(left - right) <= 1e-13 * max(abs(left), abs(right), 1.0)
    return bool(relation.subs(exact))


def _is_exact(value: Any) -> bool:
    return isinstance(value, (RationalNumber, sp.Basic)) and not isinstance(value, sp.Float)


def _exact(value: Any) -> sp.Expr:
    """Turn a number into a SymPy number without changing its value."""
    if isinstance(value, (bool, str)):
        raise DomainError(f"{value!r} is not a number", argument="values", value=value)
    if isinstance(value, Fraction):
        return sp.Rational(value.numerator, value.denominator)
    if isinstance(value, mpmath.mpf) and mpmath.isfinite(value):
        mantissa, exponent = value.man_exp
        return sp.Integer(int(mantissa)) * sp.Integer(2) ** int(exponent)
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            raise DomainError(f"{value} is not finite", argument="values", value=value)
        return sp.Rational(str(float(value)))  # the decimal that a person typed: 0.1 means 1/10, so boundaries are hit
    number = sp.sympify(value) if isinstance(value, (int, np.integer, sp.Expr)) else None
    if number is None or not (number.is_number and number.is_real):
        raise DomainError(f"{value!r} is not a real number", argument="values", value=value)
    return number


def _evaluate_arrays(name: str, expr: sp.Expr, conditions: list[sp.Basic], given: Mapping[sp.Symbol, Any], outside: str) -> Any:
    symbols = list(given)
    try:
        raw = [np.ma.filled(np.ma.asarray(given[symbol]).astype(float, casting="same_kind"), np.nan) for symbol in symbols]
    except (TypeError, ValueError) as failure:
        raise DomainError(f"{name} takes arrays of real numbers: {failure}", argument="values", value=given) from None
    try:
        arrays = np.broadcast_arrays(*raw)
    except ValueError:
        shapes = ", ".join(f"{symbol} {array.shape}" for symbol, array in zip(symbols, raw, strict=True))
        raise DomainError(f"the shapes of the parameters do not broadcast: {shapes}", argument="values", value=shapes) from None
    valid = np.logical_and.reduce([np.isfinite(array) for array in arrays])
    for condition in [None, *conditions]:
        if condition is not None:
            valid = valid & np.broadcast_to(sp.lambdify(symbols, condition, "numpy")(*arrays), valid.shape)
        if outside == "raise" and not valid.all():
            first = int(np.flatnonzero(~valid)[0])
            values = {str(symbol): array.ravel()[first] for symbol, array in zip(symbols, arrays, strict=True)}
            raise _outside(name, "finite parameters" if condition is None else condition, values)
    inside = [np.where(valid, array, 1.0) for array in arrays]
    result = np.broadcast_to(sp.lambdify(symbols, expr, "numpy")(*inside), valid.shape).astype(float)
    return np.ma.masked_array(result, mask=~valid) if outside == "mask" else result


def _show(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in values.items())


def _outside(name: str, condition: sp.Basic | str, values: Mapping[str, Any]) -> DomainError:
    return DomainError(f"{name} holds for {condition}; got {_show(values)}", argument="values", value=dict(values))


def _tidy(expr: sp.Basic) -> sp.Basic:
    """Cancel inside extrema, Gamma functions, powers and conditions after a change of notation."""

    def clean(part: sp.Expr) -> sp.Expr:
        return sp.cancel(part) if part.is_Add or part.is_Mul else part

    if expr in (sp.true, sp.false):
        return expr
    if expr.is_Relational:
        return against_zero(expr.lhs - expr.rhs, expr.func)
    if isinstance(expr, sp.Piecewise):
        return sp.Piecewise(*((_tidy(value), _tidy(condition)) for value, condition in expr.args))
    cleaned = (sp.Min, sp.Max, sp.gamma, sp.zeta)
    expr = expr.replace(lambda part: isinstance(part, cleaned), lambda part: part.func(*map(clean, part.args)))
    expr = expr.replace(lambda part: part.is_Pow, lambda part: sp.Pow(part.base, clean(part.exp)))
    return clean(expr) if expr.is_rational_function() else expr
