"""Laws that are fitted from their formulas: those of the catalogue by name, and any expression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ....errors import DomainError, refusal
from ....parsing import parse_expression
from ._law import FREE, STEEPEST, FitLaw

VARIABLES = ("N", "D", "C", "P", "n", "m", "x")
"""What is a variable in an expression; every other name is a parameter."""

_EXPONENT = (0.0, STEEPEST)  # at least 0
_EITHER = (-FREE, FREE)
_WIDTH = (-3.0, 3.0)  # logarithm of a sharpness or a width: beyond, powers overflow
_SCALE = "scale"  # the logarithm lies within those of the variable, or near them


@dataclass(frozen=True)
class _Named:
    """A law of the catalogue as it is fitted.

    Attributes
    ----------
    catalogue : str
        Its name there.
    coordinates : dict
        Parameter -> None for one that enters by its logarithm, bounds for one that enters as it is, or bounds of the logarithm in a
        list; in the order of the coordinates.
    formula : str
        As people write it.
    notation : str or None
        The convention in which the catalogue's law is taken.
    replaced : dict of str to str
        Symbols of the catalogue's formula that are written otherwise.
    offset : str or None
        An offset that is added.
    boxes : dict
        Parameter -> range of the start's grid, in the coordinate.
    start_fixed : dict
        Coordinates that are fixed unless bounds are given.
    """

    catalogue: str
    coordinates: Mapping[str, Any]
    formula: str
    notation: str | None = None
    replaced: Mapping[str, str] | None = None
    offset: str | None = None
    boxes: Mapping[str, Any] | None = None
    fixed: Mapping[str, float] | None = None


def _broken(breaks: int) -> _Named:
    coordinates: dict[str, Any] = {"a": None, "b": None, "c_0": _EITHER}
    boxes: dict[str, Any] = {"c_0": (0.0, 1.0)}
    for i in range(1, breaks + 1):
        coordinates |= {f"c_{i}": _EITHER, f"d_{i}": None, f"f_{i}": [*_WIDTH]}
        boxes |= {f"c_{i}": (-0.75, 1.0), f"d_{i}": _SCALE, f"f_{i}": (-2.0, 0.5)}
    numbered = {1: "one_break", 2: "two_breaks", 3: "three_breaks"}
    return _Named(
        "empirical.bnsl",
        coordinates,
        "L = a + b x^-c_0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)",
        notation=numbered[breaks],
        boxes=boxes,
    )


_KAPLAN: dict[str, Any] = {"a_N": _EXPONENT, "a_D": _EXPONENT, "N_c": None, "D_c": None}
NAMED: dict[str, _Named] = {
    "power": _Named("empirical.power", {"c": None, "gamma": _EITHER}, "L = c x^-gamma"),
    "power_offset": _Named(
        "empirical.hestness",
        {"E": None, "c": None, "gamma": _EXPONENT},
        "L = E + c x^-gamma",
    ),
    "three_region": _Named(
        "empirical.three_region",
        {"E": None, "L_0 - E": None, "x_0": None, "gamma": _EXPONENT, "s": [*_WIDTH]},
        "L = E + (L_0 - E) (1 + (x/x_0)^s)^(-gamma/s)",
        replaced={"L_0": "L_0 - E"},
        boxes={"x_0": _SCALE, "s": (-1.0, 1.0)},
        fixed={"s": 0.0},
    ),
    "rosenfeld": _Named(
        "empirical.rosenfeld",
        {
            "A": None,
            "alpha": _EXPONENT,
            "B": None,
            "beta": _EXPONENT,
            "c_inf": None,
            "epsilon_0": None,
        },
        "L = e_0 e/sqrt(e^2 + e_0^2), e = A/D^alpha + B/N^beta + c_inf",
        replaced={"n": "D", "m": "N"},
    ),
    "kaplan": _Named("empirical.kaplan", _KAPLAN, "L = ((N_c/N)^(a_N/a_D) + D_c/D)^a_D"),
    "kaplan+offset": _Named(
        "empirical.kaplan",
        {"E": None, **_KAPLAN},
        "L = E + ((N_c/N)^(a_N/a_D) + D_c/D)^a_D",
        offset="E",
    ),
    "bnsl": _broken(1),
    "bnsl_2": _broken(2),
    "bnsl_3": _broken(3),
    "perceptron": _Named(
        "empirical.perceptron",
        {
            "q_1": None,
            "k_1": None,
            "gamma_1": _EXPONENT,
            "k_2": None,
            "gamma_2": _EXPONENT,
            "q_2": None,
        },
        "L = q_1 + k_1 (k_2 P^gamma_2 + q_2)^-gamma_1",
    ),
}
_LIKE = {"kaplan": "surface_power", "kaplan+offset": "surface_power", "rosenfeld": "surface"}
ALIASES = {
    "hestness": "power_offset",
    "empirical.hestness": "power_offset",
    "kaplan_offset": "kaplan+offset",
    **{f"empirical.{name}": name for name in ("power", "three_region", "rosenfeld", "kaplan")},
    **{f"empirical.{name}": name for name in ("bnsl", "perceptron")},
}


@lru_cache(maxsize=32)
def named_law(name: str) -> FitLaw:
    """Return a law of the catalogue that is fitted from its formula."""
    import sympy as sp

    from ....theory import law as catalogue_law
    from ._generated import law_kernel, linear_in

    entry = NAMED[name]
    law = catalogue_law(entry.catalogue)
    if entry.notation is not None:
        law = law.in_notation(entry.notation)
    loss = law.forms["loss"].expr
    by_name = {symbol.name: symbol for symbol in loss.free_symbols}
    if name == "three_region":  # the height of the plateau above the offset is what enters
        height = sp.Symbol("L_0 - E", positive=True)
        loss = sp.expand(loss.subs(by_name["L_0"], by_name["E"] + height), power_base=False)
        loss = sp.simplify(loss)
    else:
        for old, new in (entry.replaced or {}).items():
            loss = loss.subs(by_name[old], sp.Symbol(new, positive=True))
    if entry.offset is not None:
        loss += sp.Symbol(entry.offset, positive=True)
    names = tuple(entry.coordinates)
    logs, low, high = [], [], []
    for name_ in names:
        ends = entry.coordinates[name_]
        logs.append(ends is None or isinstance(ends, list))
        least, most = (-FREE, FREE) if ends is None else ends
        at = (entry.fixed or {}).get(name_)
        low.append(least if at is None else at)
        high.append(most if at is None else at)
    signed = [not log and least < 0 for log, least in zip(logs, low, strict=True)]
    variables = tuple(v for v in VARIABLES if v in {symbol.name for symbol in loss.free_symbols})
    linear = linear_in(loss, names)
    boxes = {
        j: (entry.boxes or {}).get(name_, default_box(logs[j], low[j]))
        for j, name_ in enumerate(names)
        if j not in linear
    }
    return FitLaw(
        id=name,
        catalogue=entry.catalogue,
        names=names,
        logs=tuple(logs),
        variables=variables,
        formula=entry.formula,
        low=tuple(low),
        high=tuple(high),
        kernel=law_kernel(loss, names, logs, signed, variables),
        linear=linear,
        boxes=tuple(boxes.items()),
        like=_LIKE.get(name),
    )


def default_box(log: bool, low: float) -> Any:
    """Return the range of a start's grid, in the coordinate, for a parameter of which nothing else is known."""
    if log:
        return _SCALE
    return (-1.0, 1.5) if low < 0 else (0.05, 1.5)


@lru_cache(maxsize=64)
def expression_law(
    text: str,
    bounds: tuple[tuple[str, tuple[float, float]], ...],
    own: tuple[str, ...] = (),
) -> FitLaw:
    """Return a law written as an expression.

    Parameters
    ----------
    text : str
        Formula of the loss in N, D, C, P, n, m, x and parameters.
    bounds : tuple of (str, (float, float))
        A parameter whose lower bound is negative may have either sign; every other is positive.
    own : tuple of str
        Further variables.
    """
    loss = parse_expression(text, "law")
    names = {symbol.name for symbol in loss.free_symbols}
    for name in own:
        if name not in names:
            raise refusal("variables", name, f"does not occur in {text}")
    return _from_expression(text, None, loss, dict(bounds), own)


def catalogue_expression(law: Any, bounds: Mapping[str, tuple[float, float]]) -> FitLaw:
    """Return the law of a catalogue's law that has no entry here, from its form ``loss``."""
    if "loss" not in getattr(law, "forms", ()):
        raise refusal(
            "law", law.name, "has no form 'loss'; only formulas of a loss are fitted", shown=True
        )
    return _from_expression(law.name, law.name, law.forms["loss"].expr, bounds)


def _from_expression(
    text: str,
    catalogue: str | None,
    loss: Any,
    bounds: Mapping[str, tuple[float, float]],
    own: tuple[str, ...] = (),
) -> FitLaw:
    import sympy as sp

    from ._generated import in_exponents_only, law_kernel, linear_in, scale_of

    symbols = sorted(loss.free_symbols, key=lambda symbol: symbol.name)
    own = tuple(name for name in own if name not in VARIABLES)
    variables = tuple(name for name in VARIABLES if name in {symbol.name for symbol in symbols})
    variables += own
    if not variables:
        raise refusal(
            "law",
            text,
            f"is no law: a variable is missing, one of {', '.join(VARIABLES)}, or others named by variables=",
        )
    parameters = [symbol for symbol in symbols if symbol.name not in variables]
    if not parameters:
        raise refusal("law", text, "has no parameters to fit")
    names = tuple(symbol.name for symbol in parameters)
    signed = [bounds.get(name, (0.0, 0.0))[0] < 0 for name in names]
    fresh = {
        symbol: sp.Symbol(symbol.name, real=True)
        if minus
        else sp.Symbol(symbol.name, positive=True)
        for symbol, minus in zip(parameters, signed, strict=True)
    }
    fresh |= {
        symbol: sp.Symbol(symbol.name, positive=True)
        for symbol in symbols
        if symbol.name in variables
    }
    loss = loss.subs(fresh, simultaneous=True)
    columns = [fresh[symbol] for name in variables for symbol in symbols if symbol.name == name]
    scales = [
        scale_of(loss, fresh[symbol], columns) if in_exponents_only(loss, fresh[symbol]) else None
        for symbol in parameters
    ]
    logs = [
        not minus and (scale is not None or not in_exponents_only(loss, fresh[symbol]))
        for symbol, minus, scale in zip(parameters, signed, scales, strict=True)
    ]
    low = [-FREE if log or minus else 0.0 for log, minus in zip(logs, signed, strict=True)]
    linear = tuple(j for j in linear_in(loss, names) if logs[j])
    boxes = tuple(
        (j, scale if logs[j] and (scale := scales[j]) is not None else default_box(logs[j], low[j]))
        for j in range(len(names))
        if j not in linear
    )
    try:
        kernel = law_kernel(loss, names, logs, signed, variables)
    except DomainError as failure:
        raise refusal("law", text, f"cannot be fitted: {failure}") from None
    return FitLaw(
        id=text,
        catalogue=catalogue,
        names=names,
        logs=tuple(logs),
        variables=variables,
        formula=f"L = {text}",
        low=tuple(low),
        high=(math.inf,) * len(names),
        kernel=kernel,
        linear=linear,
        boxes=boxes,
        own=own,
    )
