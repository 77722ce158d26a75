r"""How the loss falls in time where the spectrum is no power: powers times logarithms, and (stretched) exponentials.

With :math:`\lambda_k = k^{-b} (\log k)^{c} e^{-g k^r}` and :math:`s_k` of the same form, the loss
:math:`\sum_k s_k\,r(2t\lambda_k)` is what is left beyond the mode K at which :math:`2t\lambda_K = 1`. Three cases have a leading
power of t or of its logarithm:

* powers with logarithms: a power of t times a power of log t;
* an exponential spectrum under a power-law signal: a power of log t, with a constant that knows nothing of the dynamics;
* an exponential spectrum and an exponential signal of the same stretch :math:`r < 1`: a power of t times one of log t.

Features are assumed to be Gaussian, or to act as if they were; see the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from ...arguments import instance
from ...errors import refusal
from ...reprs import short_repr
from ..asymptotics import EXP, MellinCombination, MellinSymbol, X, power_sum
from ..derivation import DEFINITION, EQUAL, Derivation, Step, asymptotic, step
from ..mellin import as_shape
from ..parameters import as_expression
from ..records import Derived, Regime
from ..references import BORDELON_2024, FLAJOLET_1995
from ..relations import is_positive, strongest
from ..symbols import BOX, INDEX, T, free_box

_K, _U, _L, _C, _M = sp.symbols("K U L c_0 M", positive=True)
_ALLOWED = (
    "must be a product of powers of k, of log(k) and of exp(-g*k**r), with a positive number or parameter in front: "
    "k**-2*log(k), or exp(-sqrt(k))"
)


@short_repr
@dataclass(frozen=True)
class Decay:
    r"""How a sequence falls with the number of a mode: :math:`A\,k^{-p} (\log k)^{q} e^{-g k^r}`.

    Attributes
    ----------
    power, log_power, rate, stretch, amplitude : Expr
        p, q, g, r and A; g = 0 without an exponential.
    """

    power: sp.Expr = sp.S.Zero
    log_power: sp.Expr = sp.S.Zero
    rate: sp.Expr = sp.S.Zero
    stretch: sp.Expr = sp.S.One
    amplitude: sp.Expr = sp.S.One

    def at(self, k: sp.Expr) -> sp.Expr:
        """Return the value at a mode."""
        exponential = sp.exp(-self.rate * k**self.stretch)
        return self.amplitude * k**-self.power * sp.log(k) ** self.log_power * exponential


def read_decay(name: str, value: Any) -> Decay:
    """Read a sequence that falls with the number k of a mode from its formula.

    Parameters
    ----------
    name : str
        Of the argument.
    value : Expr
        In a symbol named k and positive parameters.

    Returns
    -------
    Decay
        Its powers.

    Raises
    ------
    DomainError
        If it is of another form.

    Examples
    --------
    >>> k = sp.Symbol("k")
    >>> read_decay("spectrum", k**-2 * sp.log(k) ** 3)
    Decay(power=2, log_power=3, rate=0, stretch=1, amplitude=1)
    >>> read_decay("spectrum", sp.exp(-2 * sp.sqrt(k))).stretch
    1/2
    """
    expr = as_expression(name, value)
    expr = expr.subs({symbol: INDEX for symbol in expr.free_symbols if symbol.name == "k"})
    power = log_power = rate = sp.S.Zero
    stretch = amplitude = sp.S.One
    for factor in sp.Mul.make_args(sp.expand_power_base(sp.powsimp(expr), force=True)):
        base, exponent = factor.as_base_exp()
        if isinstance(factor, sp.exp):
            number, of_k = factor.exp.as_independent(INDEX, as_Add=False)
            inner, stretch = of_k.as_base_exp()
            rate = -number
            good = inner == INDEX and INDEX not in stretch.free_symbols and rate.is_positive
            if not good or not stretch.is_positive:
                raise refusal(name, value, _ALLOWED)
        elif base == INDEX and INDEX not in exponent.free_symbols:
            power -= exponent
        elif base == sp.log(INDEX) and INDEX not in exponent.free_symbols:
            log_power += exponent
        elif INDEX not in factor.free_symbols and factor.is_positive:
            amplitude *= factor
        else:
            raise refusal(name, value, _ALLOWED)
    if clash := sorted(expr.free_symbols & {T, X, _K, _U, _L, _C, _M}, key=str):
        raise refusal(name, value, f": {clash[0]} has a meaning in the derivation; rename it")
    if odd := sorted(str(symbol) for symbol in expr.free_symbols if not symbol.is_positive):
        raise refusal(name, value, f": declare {odd[0]} with positive=True")
    return Decay(power, log_power, rate, stretch, amplitude)


@short_repr
@dataclass(frozen=True)
class SpectrumLimited:
    r"""A model whose modes are learned one after the other in time, with a spectrum that need not be a power.

    .. math:: L(t) = \sum_k s_k\, r(2 t \lambda_k)

    Modes are numbered from 1, or from 2 where a logarithm of k occurs.

    Attributes
    ----------
    spectrum, signal : Expr
        :math:`\lambda_k` and :math:`s_k`, as formulas in a symbol k: products of powers of k, of log(k) and of exp(-g k^r).
    residual : MellinSymbol or MellinCombination
        r(x): fraction of a mode's power still unlearned, decreasing from 1; ``EXP`` for gradient flow.
    box : mapping
        Ranges of the parameters in which the derivation is checked.
    """

    spectrum: Any
    signal: Any
    residual: MellinSymbol | MellinCombination = EXP
    box: Mapping[sp.Symbol, tuple[Any, Any]] = field(default_factory=lambda: BOX)

    def __post_init__(self) -> None:
        """Refuse what is no formula of the right form."""
        for name in ("spectrum", "signal"):
            decay = read_decay(name, getattr(self, name))
            free_box(self.box, decay.at(sp.S(2)))
        as_shape("residual", self.residual)


def derive_spectrum(model: SpectrumLimited) -> Derived:
    r"""Derive how a loss falls with time where the spectrum is not a power of k.

    Parameters
    ----------
    model : SpectrumLimited
        Spectrum, signal and residual.

    Returns
    -------
    Derived
        One regime: exponent of t, power of log t, and constant.

    Raises
    ------
    DomainError
        If spectrum and signal together give no power of t or log t at leading order, as a power-law spectrum under an
        exponential signal (a stretched exponential of t), or if the leading term oscillates for ever, as where both are plain
        exponentials (:math:`r \ge 1`: neighboring modes are learned at very different times).

    Notes
    -----
    Corrections fade as 1/log t only, times log log t where the spectrum has logarithms.

    Examples
    --------
    >>> k = sp.Symbol("k")
    >>> slow = derive_spectrum(SpectrumLimited(sp.exp(-k), k**-3)).regimes[0]
    >>> slow.exponent, slow.log_power, slow.constant
    (0, -2, 1/2)
    >>> corrected = derive_spectrum(SpectrumLimited(k**-2 * sp.log(k) ** 2, k**-3)).regimes[0]
    >>> corrected.exponent, corrected.log_power
    (1, -2)
    """
    instance("model", model, SpectrumLimited)
    spectrum, signal = (
        read_decay("spectrum", model.spectrum),
        read_decay("signal", model.signal),
    )
    if not spectrum.rate and not signal.rate:
        return _powers_with_logarithms(model, spectrum, signal)
    if not signal.rate:
        return _exponential_spectrum(model, spectrum, signal)
    if not spectrum.rate:
        raise refusal(
            "signal",
            model.signal,
            "falls faster than any power while the spectrum is a power: the loss falls as an exponential of a power "
            "of t, which is outside this calculus",
        )
    return _two_exponentials(model, spectrum, signal)


def _powers_with_logarithms(model: SpectrumLimited, spectrum: Decay, signal: Decay) -> Derived:
    """Derive the case of powers times logarithms: K**b * log(K)**-c = 2 t, and the sum behaves as an integral."""
    b, a = spectrum.power, signal.power
    if not b.is_positive:
        raise refusal("spectrum", model.spectrum, "must fall with k")
    found = power_sum(a, model.residual.compose(-b))
    whole, *_ = found.candidates
    if all(term is not whole for term in found.terms):
        raise refusal(
            "residual",
            model.residual,
            ": the first modes decide, with a power of t and no logarithm: their residual falls too slowly",
            shown=False,
        )
    rivals = [term for term in found.terms if term is not whole]
    conditions = strongest(
        [*found.conditions, *(sp.Gt(whole.exponent - term.exponent, 0) for term in rivals)]
    )
    slope = sp.cancel((a - 1) / b)
    logs = sp.cancel(signal.log_power - spectrum.log_power * slope)
    front = signal.amplitude * whole.coefficient
    paced = front * (2 * spectrum.amplitude * T) ** -slope
    steps = [
        *_opening(model, spectrum, signal),
        step(
            _L,
            front * _K ** (1 - a) * sp.log(_K) ** signal.log_power,
            asymptotic(_K),
            "logarithms change slowly: those at K stand in front of the Mellin residue of the powers",
            FLAJOLET_1995,
        ),
        step(_L, paced * sp.log(_K) ** logs, EQUAL, "K expressed by t, but for its logarithm"),
        step(_K, sp.exp(_U), DEFINITION, "U is the logarithm of K"),
        step(_M, sp.log(T), DEFINITION, "the logarithm of time"),
        step(_M, b * _U, asymptotic(_U), f"log t = {b * _U} up to the logarithm of U"),
        step(
            _L, paced * (sp.log(T) / b) ** logs, asymptotic(_U), f"so that log K = {sp.log(T) / b}"
        ),
    ]
    regime = Regime(
        "source-limited",
        sp.true,
        slope,
        front * (2 * spectrum.amplitude) ** -slope * b**-logs,
        logs,
    )
    return _closed(model, steps, regime, conditions)


def _exponential_spectrum(model: SpectrumLimited, spectrum: Decay, signal: Decay) -> Derived:
    """Derive the case of an exponential spectrum: what is left is the tail of the signal beyond K = (log(t)/g)**(1/r)."""
    a, g, r = signal.power, spectrum.rate, spectrum.stretch
    if signal.log_power != 0:
        raise refusal(
            "signal",
            model.signal,
            "has a logarithm, which an exponential spectrum turns into one of log t: outside this calculus",
        )
    if is_positive(a - 1) is False:
        raise refusal("signal", model.signal, "must have a finite sum over k")
    shape = model.residual.function
    if sp.limit(shape, X, 0) != 1 or sp.limit(shape, X, sp.oo) != 0:
        raise refusal("residual", shape, "must fall from 1 to 0")
    conditions = () if is_positive(a - 1) else (sp.Gt(a, 1),)
    logs = sp.cancel((1 - a) / r)
    front = signal.amplitude / (a - 1)
    steps = [
        *_opening(model, spectrum, signal),
        step(
            _L,
            front * _K ** (1 - a),
            asymptotic(_K),
            "modes before K are learned and those after it are not: the edge is narrow compared with K",
        ),
        *_logarithm_of_time(spectrum),
        step(_L, front * (sp.log(T) / g) ** logs, asymptotic(_K), "K is a power of log t"),
    ]
    return _closed(
        model, steps, Regime("logarithmic", sp.true, sp.S.Zero, front * g**-logs, logs), conditions
    )


def _two_exponentials(model: SpectrumLimited, spectrum: Decay, signal: Decay) -> Derived:
    """Derive the case of two exponentials of one stretch: the edge at K decides, and it is wide."""
    a, b, g, r = signal.power, spectrum.power, spectrum.rate, spectrum.stretch
    if signal.stretch != r:
        raise refusal(
            "signal",
            model.signal,
            "has another stretch than the spectrum: the loss is no power of t or log t at leading order",
        )
    if is_positive(1 - r) is not True:
        raise refusal(
            "spectrum",
            model.spectrum,
            ": neighboring modes are learned at very different times, so that the loss oscillates about "
            f"t**-{signal.rate / g} for ever: there is no leading term (it needs stretch < 1)",
            shown=False,
        )
    if spectrum.log_power != 0 or signal.log_power != 0:
        raise refusal(
            "spectrum",
            model.spectrum,
            "and signal are exponentials, which turn a logarithm of k into one of log t: outside this calculus",
        )
    slope = sp.cancel(signal.rate / g)
    edge = power_sum(1 - slope, model.residual, mode="integral")
    power = sp.cancel(1 - r - a + b * slope)
    logs = sp.cancel(power / r)
    front = signal.amplitude * edge.terms[0].coefficient / (g * r)
    paced = front * (2 * spectrum.amplitude * T) ** -slope
    steps = [
        *_opening(model, spectrum, signal),
        step(
            _L,
            edge.terms[0].coefficient * signal.at(_K) * _K ** (1 - r) / (g * r),
            asymptotic(_K),
            "around K both fall by a factor over K^(1 - r) modes: a Mellin transform of the residual",
            FLAJOLET_1995,
        ),
        step(_L, paced * _K**power, EQUAL, "the exponential of K expressed by t"),
        *_logarithm_of_time(spectrum),
        step(_L, paced * (sp.log(T) / g) ** logs, asymptotic(_K), "K is a power of log t"),
    ]
    constant = front * (2 * spectrum.amplitude) ** -slope * g**-logs
    return _closed(model, steps, Regime("edge", sp.true, slope, constant, logs), edge.conditions)


# -- what the cases share -----------------------------------------------------------------------------------------------


def _opening(model: SpectrumLimited, spectrum: Decay, signal: Decay) -> list[Step]:
    first = 2 if spectrum.log_power != 0 or signal.log_power != 0 else 1
    mode = INDEX + first - 1
    term = signal.at(mode) * model.residual.function.subs(X, 2 * T * spectrum.at(mode))
    return [
        step(T, 1 / (2 * spectrum.at(_K)), DEFINITION, "mode K is being learned: 2 t lambda_K = 1"),
        step(
            _L,
            sp.Sum(term, (INDEX, 1, sp.oo)),
            DEFINITION,
            "every mode decays on its own, with rate lambda_k"
            + ("; modes are numbered from 2" if first == 2 else ""),
            BORDELON_2024,
        ),
    ]


def _logarithm_of_time(spectrum: Decay) -> list[Step]:
    return [
        step(_M, sp.log(T), DEFINITION, "the logarithm of time"),
        step(
            _M,
            spectrum.rate * _K**spectrum.stretch,
            asymptotic(_K),
            "the exponential of the spectrum decides",
        ),
    ]


def _closed(
    model: SpectrumLimited, steps: list[Step], regime: Regime, conditions: tuple[sp.Basic, ...]
) -> Derived:
    """Add what a person reads off: constant, power of t and power of log t."""
    leading = _C * T**-regime.exponent * sp.log(T) ** regime.log_power
    steps = [
        *steps,
        step(_C, regime.constant, DEFINITION, "the constant in front"),
        step(_L, leading, EQUAL, "powers of t and of its logarithm"),
    ]

    def build() -> Derivation:
        decays = (read_decay("spectrum", model.spectrum), read_decay("signal", model.signal))
        parts = (decay.at(sp.S(2)) for decay in decays)
        box = free_box(model.box, *parts, model.residual.function)
        return Derivation(tuple(steps), conditions, box)

    return Derived((regime,), conditions, build)
