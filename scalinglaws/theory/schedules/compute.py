r"""The compute-optimal lazy linear model with label noise: the rate is tuned, and so is the size.

Of the noise a decay :math:`(1 - t/T)^p` of the rate leaves :math:`\tau^{1/\tilde b}/T` after the intrinsic time :math:`\tau`, with
:math:`\tilde b = \min(b, p + 1)`; a constant rate is p = 0. No step can be longer than a stable one, :math:`\tau \le T`, and N features
for T steps cost :math:`C = N T`. Features are assumed to be Gaussian, or to act as if they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, combinations
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import DomainError
from ...reprs import short_repr
from ..derivation import Derivation, Step
from ..optimum import CostLimited, optimum_steps
from ..records import Derived, Form
from ..references import BORDELON_2026
from ..symbols import ALPHA, BETA, BOX, C, N, T, check_task, free_box
from .bottlenecks import LOG, as_decay, bottlenecks, decayed_noise, inside
from .phases import Diagram, Line, Region

TAU = sp.Symbol("tau", positive=True)
"""Intrinsic time of a run: the sum of its rates, in units of the largest stable one."""

_NAMES = {
    frozenset({"time", "model", f"{TAU}/{T} <= 1"}): "hard",
    frozenset({"time", "noise", "model"}): "intermediate",
    frozenset({"time", "noise", "transient"}): "easy",
    frozenset({"noise", "model", "transient"}): "floor",
}


@short_repr
@dataclass(frozen=True)
class NoisyLimited:
    """One-pass SGD on noisy labels under a decay of the rate whose height is tuned.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues k^-b, signal power k^-a.
    decay : Expr, number or None
        p of the decay (1 - t/T)^p: 0 is a constant rate; None the best decay, p = 2 b - 1. What matters is whether p + 1 > b.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum_exponent: Any = ALPHA
    signal_exponent: Any = ALPHA * BETA + 1
    decay: Any = None
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no exponent."""
        check_task(self)
        check_decay(self)


def check_decay(model: Any) -> None:
    """Check the exponent of a decay, and keep it as an expression."""
    decay = model.decay
    if decay is None:
        decay = sp.cancel(2 * model.spectrum_exponent - 1)
    decay = as_decay(decay)
    free_box(model.box, decay)
    object.__setattr__(model, "decay", decay)


def noise_left(
    spectrum_exponent: sp.Expr, decay: sp.Expr, box: Mapping[sp.Symbol, Any]
) -> list[tuple[sp.Expr, int]]:
    """Return the powers of intrinsic time that the noise has somewhere in a box."""
    found = decayed_noise(spectrum_exponent, decay)
    used = set().union(*(power.free_symbols for power, _ in found))
    kept = {name: ends for name, ends in box.items() if name in used}
    above = sp.Gt(spectrum_exponent, 1)

    def leads(power: sp.Expr) -> bool:
        others = [other for other, _ in found if other != power]
        try:
            inside(kept, sp.And(above, *(sp.Ge(power, other) for other in others)))
        except ValueError:
            return False
        return True

    return [entry for entry in found if len(found) == 1 or leads(entry[0])]


def _diagram(model: NoisyLimited) -> Diagram:
    """Assemble the bottlenecks, region by region, and on the line between hard and easy tasks."""
    return _assembled(
        model.spectrum_exponent, model.signal_exponent, model.decay, tuple(model.box.items())
    )


@lru_cache(maxsize=16)
def _assembled(b: sp.Expr, a: sp.Expr, decay: sp.Expr, ranges: tuple[Any, ...]) -> Diagram:
    box = dict(ranges)
    found = bottlenecks(a, b, ranges)
    pace = TAU
    used = decay.free_symbols

    def limited(condition: sp.Basic, at: Mapping[sp.Symbol, Any], **more: Any) -> CostLimited:
        limits = {
            **{name: ends for name, ends in box.items() if name in used},
            **found.limits(condition),
        }
        limits = {name: ends for name, ends in limits.items() if name not in at}
        terms = found.terms(condition, pace, "time", "model", "transient", at=at)
        left = [
            pace ** power.subs(at) * LOG**logs
            for power, logs in noise_left(b, decay, {**box, **limits})
        ]
        noisy = {"time": terms["time"], "noise": sp.Add(*left) / T}
        noisy["noise"] = sp.expand(noisy["noise"])
        region = () if isinstance(found.source, sp.Symbol) or condition == sp.true else (condition,)
        above = () if found.above == sp.true else (found.above.subs(at),)
        if terms["transient"] == terms["model"]:
            del terms["transient"]
        return CostLimited(
            {**noisy, **terms},
            (pace, N, T),
            C,
            (N * T, C),
            ((pace / T, 1),),
            limits,
            where=tuple(part for part in (*above, *region) if part != sp.true and limits),
            names=_NAMES,
            constants=False,
            logarithm=LOG if any(term.has(LOG) for term in (*left, *terms.values())) else None,
            reference=BORDELON_2026,
            **more,
        )

    whole = tuple(
        Region(sp.And(found.above, condition), limited(condition, {}))
        for _, condition in found.regions()
    )
    met = None
    if at := found.line():
        ((name, value),) = at.items()
        met = Line(name, value, found.above.subs(at), limited(sp.true, at))
    left = decayed_noise(b, decay)
    meeting = tuple(one - two for (one, _), (two, _) in combinations(left, 2))
    return Diagram(whole, met, meeting)


def derive_compute(model: NoisyLimited, of: sp.Expr | None = None) -> Derived:
    """Derive the compute-optimal exponents under label noise.

    Parameters
    ----------
    model : NoisyLimited
        Any spectrum, signal and decay.
    of : Expr, optional
        A monomial in tau, N and t whose growth is asked for instead of the loss.

    Returns
    -------
    Derived
        One regime per balance, and the lines between them. The form ``features`` has the growth of the best size.

    Examples
    --------
    >>> found = derive_compute(NoisyLimited(spectrum_exponent=sp.Rational(3, 2), signal_exponent=2))
    >>> found.expr, derive_compute(NoisyLimited(spectrum_exponent=3, signal_exponent=4), N).expr
    (1/3, 1/5)
    """
    instance("model", model, NoisyLimited)
    diagram = _diagram(model)

    def build() -> Derivation:
        return Derivation(tuple(_steps(diagram.regions, asked)), (), diagram.box)

    where = (sp.Gt(model.spectrum_exponent, 1),)
    conditions = tuple(part for part in (*where, *diagram.jumps(of)) if part != sp.true)
    forms = {} if of is not None else _forms(model)
    asked = N if of is None and forms else of
    return Derived(diagram.regimes(of), conditions, build, piecewise=True, forms=forms)


def _steps(regions: tuple[Region, ...], of: sp.Expr | None) -> Iterator[Step]:
    """Write the steps of the optimum, region by region."""
    several = len(regions) > 1
    return chain.from_iterable(
        optimum_steps(
            region.model, of, suffix=f"_{number}" if several else "", case=region.condition
        )
        for number, region in enumerate(regions, start=1)
    )


def _forms(model: NoisyLimited) -> dict[str, Form]:
    try:
        size = derive_compute(model, N).expr
    except DomainError:  # at numbers where the optimum leaves the size free within a range
        return {}
    forms = {
        "features": Form(size, "power of C with which the best number of features grows"),
        "steps": Form(1 - size, "power of C with which the best number of steps grows"),
    }
    if model.decay != 0:
        constant = replace(model, decay=sp.S.Zero)
        forms["constant"] = Form(
            derive_compute(constant).expr, "exponent of the loss at the best constant rate"
        )
        forms["constant_features"] = Form(
            derive_compute(constant, N).expr, "power of C of the features at the best constant rate"
        )
    return forms
