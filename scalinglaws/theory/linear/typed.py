r"""Laws of one's own, from formulas as people type them: a spectrum, a signal, and what is left of a mode.

With :math:`\lambda_k` the spectrum and :math:`s_k` the signal, both formulas in the number k of a mode, a law is either one of time,

.. math:: L(t) = \sum_k s_k\, f(\lambda_k, t),

where the filter f is a formula in x (the eigenvalue) and t, of which only :math:`x\,t^q` may matter; or one of a resource n,

.. math:: L(n) = \sum_k s_k\, f(\kappa/\lambda_k) \Big/ \Big(1 - \frac1n \sum_k v(\kappa/\lambda_k)\Big),
          \qquad \sum_k o(\kappa/\lambda_k) = n,

where f, v and o are formulas in x, the renormalized ridge over the eigenvalue.

Features are assumed to be Gaussian, or to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from ...errors import refusal
from ...parsing import parse_expression
from ...reprs import short_repr
from ..asymptotics import EXP, RATIONAL, MellinCombination, MellinSymbol, X
from ..formula import Law
from ..symbols import INDEX
from .bottlenecks import ModeLimited, TimeLimited, derive_mode, derive_time
from .spectra import SpectrumLimited, derive_spectrum, read_decay

Shape = MellinSymbol | MellinCombination

_RANGE = (
    sp.Rational(1, 5),
    sp.Integer(4),
)  # of a parameter without a value, where steps are checked
_RESERVED = ("k", "x", "K", "L", "c", "c_0", "kappa", "df_1", "df_2", "V", "B", "U", "M")
_SHAPES = (
    "must be made of exp(-x*t), powers of x*t and powers of 1 + x*t, as exp(-2*x*t), 1/(1 + x*t)**2, "
    "or 1 - x*t/(1 + x*t); or (1 - x)**t"
)


@short_repr
@dataclass(frozen=True)
class OwnLaw:
    """A law that was derived from typed formulas.

    Attributes
    ----------
    law : Law
        Exponent, regimes, derivation.
    notes : tuple of str
        How formulas were read, where that is not obvious.
    """

    law: Law
    notes: tuple[str, ...]


def own_law(
    spectrum: str,
    signal: str,
    filter: str,
    *,
    variable: str = "t",
    resource: str = "",
    variance: str = "",
    values: Mapping[str, Any] | None = None,
) -> OwnLaw:
    """Derive a law from typed formulas.

    Parameters
    ----------
    spectrum, signal : str
        Eigenvalues and signal power, as formulas in k: ``"k**-a"``, ``"k**-(a*b + 1)"``, ``"k**-a*log(k)**2"``,
        ``"exp(-k)"``.
    filter : str
        What is left of the signal of a mode, as a formula in x and the variable: ``"exp(-2*x*t)"``; with a `resource`, in x
        alone: ``"x**2/(1 + x)**2"``.
    variable : str
        Name of the time.
    resource : str
        The equation that a resource obeys, as ``"1/(1 + x) = P"``: summed over all modes, the left side is the number of
        samples or features.
    variance : str
        Share of a mode in the fluctuations, as ``"1/(1 + x)**2"``; by default there are none.
    values : mapping of str to number, optional
        Values of parameters, around which the steps are checked.

    Returns
    -------
    OwnLaw
        The law, derived as those of the catalogue are, and how the formulas were read.

    Raises
    ------
    DomainError
        If a formula is of another form; the message says which are allowed.

    Examples
    --------
    >>> own_law("k**-a", "k**-(a*b + 1)", "1/(1 + x*t)**2").law.expr
    Min(2, b)
    >>> own_law("k**-a", "k**-(a*b + 1)", "x**2/(1 + x)**2", resource="1/(1 + x) = P").law.expr
    Min(2*a, a*b)
    """
    for label, text in (("resource", resource), ("variance", variance)):
        if not isinstance(text, str):
            raise refusal(label, text, "must be text, a formula")
    notes: list[str] = []
    name = _name(variable)
    decays = {}
    for label, text in (("spectrum", spectrum), ("signal", signal)):
        expr = parse_expression(text, label)
        if sp.Symbol("k", positive=True) not in expr.free_symbols:
            raise refusal(label, text, "must be a formula in k, the number of a mode, as k**-a")
        _parameters(label, expr, name, {"k"})
        decays[label] = read_decay(label, expr)
    powers = all(not decay.rate and not decay.log_power for decay in decays.values())
    symbols = set().union(*(decay.at(sp.S(2)).free_symbols for decay in decays.values()))
    for label, decay in decays.items():
        if powers and (decay.power.is_nonpositive or decay.power == 0):
            raise refusal(
                label, {"spectrum": spectrum, "signal": signal}[label], "must fall with k"
            )
    strength = decays["signal"].amplitude
    if resource or variance:
        if not powers:
            raise refusal(
                "spectrum",
                spectrum,
                "and signal must be powers of k where a resource is limited; exponentials and logarithms go with time",
            )
        left, given = _resource(resource, name, variance)
        shapes = {
            label: read_filter(label, text, None, notes)[0]
            for label, text in (("filter", filter), ("resource", left), ("variance", variance))
            if text
        }
        symbols |= set().union(*(shape.function.free_symbols for shape in shapes.values())) - {X}
        _ends("filter", filter, shapes["filter"], (0, 1), "a mode far above the ridge is learned")
        variable_symbol: sp.Symbol = given
        model: Any = ModeLimited(
            resource=given,
            residual=strength * shapes["filter"],
            variance=shapes.get("variance"),
            occupation=shapes["resource"],
            spectrum_exponent=decays["spectrum"].power,
            signal_exponent=decays["signal"].power,
            box=_box(symbols, values),
        )
        derive: Any = derive_mode
    else:
        variable_symbol = name
        others = {str(entry) for entry in parse_expression(filter, "filter").free_symbols}
        if variable not in others and (odd := sorted(others - {"x", *map(str, symbols)})):
            raise refusal(
                "filter",
                filter,
                f"has no {variable}, but {odd[0]}: is that the variable? give --variable {odd[0]}",
            )
        shape, pace = read_filter("filter", filter, name, notes)
        symbols |= (shape.function.free_symbols | pace.free_symbols) - {X, name}
        _ends(
            "filter", filter, shape, (1, 0), "nothing is learned at the start, and all in the end"
        )
        steps = _steps(parse_expression(filter, "filter"), name)
        largest = decays["spectrum"].amplitude if powers else sp.S.Zero
        if steps is not None and (steps[0] * largest - 2).is_nonnegative:
            raise refusal(
                "filter",
                filter,
                f": {steps[0] * X} reaches {steps[0] * largest} at the first mode; at 2 and beyond steps diverge",
            )
        if powers:
            model = TimeLimited(
                spectrum_exponent=decays["spectrum"].power,
                signal_exponent=decays["signal"].power,
                residual=strength * shape,
                box=_box(symbols, values),
                variable=name,
                pace=decays["spectrum"].amplitude * pace,
            )
            derive = derive_time
        else:
            if name in (pace / name).free_symbols or variable != "t":
                raise refusal(
                    "filter",
                    filter,
                    ": with a spectrum that is no power of k it must depend on x*t, and time be called t",
                )
            model = SpectrumLimited(
                decays["spectrum"].at(INDEX),
                decays["signal"].at(INDEX),
                shape.scale(pace / name / 2),
                _box(symbols, values),
            )
            derive = derive_spectrum
    law = Law(
        name="own law",
        statement=f"spectrum {spectrum}, signal {signal}, filter {filter}"
        + (f", resource {resource}" if resource else ""),
        quantity="loss",
        variable=variable_symbol,
        symbols={str(symbol): "parameter" for symbol in sorted(symbols, key=str)},
        reference=(),
        standing="derived",
        model=model,
        derive=derive,
        task=False,
    )
    return OwnLaw(law, tuple(notes))


def _name(text: str) -> sp.Symbol:
    expr = parse_expression(text, "variable")
    if not expr.is_Symbol or text in _RESERVED:
        raise refusal(
            "variable", text, f"must be a name, and none of {', '.join(_RESERVED)}: t, or tau"
        )
    return expr


def _parameters(label: str, expr: sp.Expr, variable: sp.Symbol, allowed: set[str]) -> None:
    """Refuse names that mean something else in the derivation."""
    taken = ({*_RESERVED, str(variable)} - allowed) & {str(name) for name in expr.free_symbols}
    if taken:
        raise refusal(
            label,
            str(expr),
            f": {min(taken)} has another meaning in the derivation; rename the parameter "
            f"(not {', '.join(_RESERVED)} or {variable})",
        )


def _box(symbols: set[sp.Symbol], values: Mapping[str, Any] | None) -> dict[sp.Symbol, Any]:
    """Choose where steps are checked: around the value of a parameter, or anywhere."""
    given = values or {}
    return {
        symbol: (sp.Rational(given[str(symbol)]) / 2, 2 * sp.Rational(given[str(symbol)]))
        if str(symbol) in given
        else _RANGE
        for symbol in sorted(symbols, key=str)
    }


def _resource(text: str, variable: sp.Symbol, variance: str) -> tuple[str, sp.Symbol]:
    """Split the equation of a resource."""
    if not text:
        raise refusal("variance", variance, "goes with a resource: --resource '1/(1 + x) = P'")
    left, sign, right = text.partition("=")
    if not sign or not left.strip() or not right.strip():
        raise refusal(
            "resource",
            text,
            "must be an equation for what a mode takes of the resource, as 1/(1 + x) = P",
        )
    found = parse_expression(right, "resource")
    if not found.is_Symbol or str(found) in _RESERVED:
        raise refusal(
            "resource", text, ": the right side must be the name of the resource, as P or N"
        )
    return left.strip(), found


def _ends(label: str, text: str, shape: Shape, ends: tuple[int, int], why: str) -> None:
    """Refuse a filter that is the learned part instead of what is left, or neither."""
    found = tuple(sp.limit(shape.function, X, place) for place in (0, sp.oo))
    if found != ends:
        other = "; this is what is learned: write 1 - (...)" if found == (ends[1], ends[0]) else ""
        raise refusal(
            label,
            text,
            f"must go from {ends[0]} at x = 0 to {ends[1]} at large x, since {why}; it goes from "
            f"{found[0]} to {found[1]}{other}",
        )


# -- filters ------------------------------------------------------------------------------------------------------------


def read_filter(
    label: str, text: str, variable: sp.Symbol | None, notes: list[str]
) -> tuple[Shape, sp.Expr]:
    """Read a filter from text: its shape, and what multiplies the eigenvalue in it.

    Parameters
    ----------
    label : str
        Name of the argument.
    text : str
        A formula in x and the variable, or in x alone.
    variable : Symbol or None
        Time; None if the formula is one of x alone.
    notes : list of str
        Receives how it was read, where that is not obvious.

    Returns
    -------
    shape : MellinSymbol or MellinCombination
        As a function of x times the pace.
    pace : Expr
        Power of the variable, with a number in front; 1 without a variable.

    Examples
    --------
    >>> t = sp.Symbol("t", positive=True)
    >>> read_filter("filter", "exp(-2*x*t**3)", t, [])[1]
    2*t**3
    """
    expr = parse_expression(text, label)
    if X not in expr.free_symbols:
        about = "the ridge over the eigenvalue" if variable is None else "the eigenvalue"
        raise refusal(label, text, f"must be a formula in x, {about}")
    _parameters(label, expr, variable or sp.Symbol("t", positive=True), {"x", str(variable)})
    if variable is None:
        found = _shape(expr)
        if found is None:
            raise refusal(label, text, _SHAPES.replace("*t", "").replace("; or (1 - x)**t", ""))
        return found, sp.S.One
    if (steps := _steps(expr, variable)) is not None:
        rate, count = steps
        if variable not in expr.free_symbols:
            notes.append(
                f"{text} has no {variable}: read as what one step leaves, so that {variable} steps leave ({text})**{variable}"
            )
        notes.append(
            f"({1 - rate * X})**{variable} is taken as exp(-{rate * X * variable}): modes with x of order 1/{variable} decide"
        )
        return EXP, rate * count * variable
    if variable not in expr.free_symbols:
        notes.append(f"{text} has no {variable}: x is read as x*{variable}")
        expr = expr.subs(X, X * variable)
    for scaled, pace in _rescaled(expr, variable):
        found = _shape(scaled)
        if found is not None:
            # a rate in a single exponential belongs to the pace
            return _unit(found, pace)
    raise refusal(
        label, text, _SHAPES.replace("t", str(variable)) if str(variable) != "t" else _SHAPES
    )


def _unit(shape: Shape, pace: sp.Expr) -> tuple[Shape, sp.Expr]:
    if (
        isinstance(shape, MellinSymbol)
        and shape.base != 1
        and len(shape.numerator) == 1
        and shape.numerator[0][1] == 1
    ):
        return shape.scale(shape.base), pace / shape.base
    return shape, pace


def _steps(expr: sp.Expr, variable: sp.Symbol) -> tuple[sp.Expr, sp.Expr] | None:
    """Return c and n of (1 - c*x)**(n*t), or of (1 - c*x)**n, one step of it; None if it is neither."""
    base, power = expr.as_base_exp()
    if base.is_Pow:
        base, power = base.base, base.exp * power
    rate = sp.cancel((1 - base) / X)
    count = sp.cancel(power / variable) if variable in power.free_symbols else power
    good = base.is_Add and rate.is_positive and count.is_positive
    if not good or {X, variable} & (rate.free_symbols | count.free_symbols):
        return None
    return rate, count


def _rescaled(expr: sp.Expr, variable: sp.Symbol) -> list[tuple[sp.Expr, sp.Expr]]:
    """Write a function of x and t as one of x*t**q, in all ways that succeed; x then stands for the product."""
    found = []
    for part in sp.preorder_traversal(expr):
        if part.has(X) and part.has(variable) and (part.is_Mul or part.is_Pow):
            powers = sp.expand_power_base(part, force=True).as_powers_dict()
            one, two = powers.get(X, 0), powers.get(variable, 0)
            if one != 0 and two != 0:
                slope = sp.cancel(two / one)
                trial = sp.powsimp(
                    sp.expand_power_base(expr.subs(X, X / variable**slope), force=True)
                )
                if variable in trial.free_symbols:
                    trial = sp.simplify(trial)
                if variable not in trial.free_symbols and slope.is_positive:
                    found.append((trial, variable**slope))
    return found


def _shape(expr: sp.Expr) -> Shape | None:
    """Recognize a function of x whose Mellin transform is known; None if it is none."""
    for form in (expr, sp.factor(sp.together(expr)), sp.expand(expr)):
        found: Shape | None = _product(form) or _sum(form)
        if found is not None:
            return found
    return None


def _product(expr: sp.Expr) -> MellinSymbol | None:
    """Recognize c * x**m * exp(-r*x**s), or c * x**m / (u + v*x**s)**n."""
    coefficient, power, core = sp.S.One, sp.S.Zero, None
    for factor in sp.Mul.make_args(expr):
        base, exponent = factor.as_base_exp()
        if X not in factor.free_symbols:
            coefficient *= factor
        elif base == X and X not in exponent.free_symbols:
            power += exponent
        elif core is not None:
            return None
        elif isinstance(factor, sp.exp):
            core = _exponential(factor)
        elif base.is_Add and X not in exponent.free_symbols:
            core = _rational(base, exponent)
        if X in factor.free_symbols and base != X and core is None:
            return None
    if core is None:
        return None
    found = core.times_power(power) if power != 0 else core
    return found * coefficient if coefficient != 1 else found


def _monomial(expr: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """Return r and s of r*x**s with positive r."""
    number, rest = expr.as_independent(X, as_Add=False)
    base, power = rest.as_base_exp()
    return (number, power) if base == X and number.is_positive and power.is_positive else None


def _exponential(factor: sp.Expr) -> MellinSymbol | None:
    found = _monomial(sp.expand(-factor.exp))
    if found is None:
        return None
    rate, power = found
    shape = EXP if power == 1 else EXP.compose(power)
    return shape if rate == 1 else shape.scale(rate ** (1 / power))


def _rational(base: sp.Expr, exponent: sp.Expr) -> MellinSymbol | None:
    constant, rest = base.as_independent(X, as_Add=True)
    found = _monomial(rest)
    if found is None or not constant.is_positive or not exponent.is_negative:
        return None
    rate, power = found
    shape = RATIONAL(0, -exponent)
    shape = shape if power == 1 else shape.compose(power)
    ratio = rate / constant
    shape = shape if ratio == 1 else shape.scale(ratio ** (1 / power))
    return shape if constant == 1 else shape * constant**exponent


def _sum(expr: sp.Expr) -> MellinCombination | None:
    """Recognize a sum of products; a constant goes with exponentials that cancel it at x = 0."""
    parts = sp.Add.make_args(expr)
    if len(parts) < 2:
        return None
    constant = sp.Add(*(part for part in parts if X not in part.free_symbols))
    terms = [_product(part) for part in parts if X in part.free_symbols]
    if None in terms or not terms:
        return None
    shapes = [term for term in terms if term is not None]
    if constant != 0:
        if any(len(term.numerator) != 1 for term in shapes):
            return None
        sizes = [term.function.subs(X, 0) for term in shapes]
        if sp.expand(sp.Add(constant, *sizes)) != 0:
            return None
        shapes = [
            MellinSymbol(
                tuple((a, b, 1) for a, b, _ in term.numerator),
                term.denominator,
                term.coefficient,
                term.base,
                term.function - size,
            )
            for term, size in zip(shapes, sizes, strict=True)
        ]
    return MellinCombination(tuple(shapes))
