r"""Batches that grow instead of rates that fall, and batches that are large early.

Rate and batch act through the temperature :math:`\theta = \eta/B` as a function of the intrinsic time :math:`\tau = \sum\eta` alone, as
long as single steps are short. The decay :math:`(1 - t/T)^p` at a fixed batch therefore equals a constant rate with growing batches,
sample by sample, and takes fewer steps one after the other. Features are assumed to be Gaussian, or to act as if they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import sympy as sp

from ...arguments import instance
from ...reprs import short_repr
from ..derivation import DEFINITION, EQUAL, Derivation, Step, solves, step
from ..monomials import power_product
from ..optimum import CostLimited, optimum_steps
from ..records import Derived, Form
from ..references import BORDELON_2026, SMITH_2018
from ..relations import against_zero
from ..symbols import ALPHA, BETA, BOX, T, check_task
from .bottlenecks import LOG, bottlenecks, decayed_noise
from .compute import TAU, check_decay, noise_left
from .phases import Diagram, Region

SAMPLES = sp.Symbol("D", positive=True)
"""Samples in all, over the whole of training."""

_DECAY, _BATCH, _RATE, _PART, _SERIAL = sp.symbols("p B eta u s", positive=True)
_AMPLITUDE = sp.Symbol("A", positive=True)
_FROM_ZERO = {name: sp.Symbol(name.name, nonnegative=True) for name in (_PART, _SERIAL)}
_PARTS = {
    _DECAY: (sp.Rational(1, 4), sp.Integer(5)),
    _PART: (sp.Rational(1, 20), sp.Rational(19, 20)),
}


@short_repr
@dataclass(frozen=True)
class RampLimited:
    """One-pass SGD at the largest stable rate whose batches grow as a decay of the rate would ask.

    Attributes
    ----------
    spectrum_exponent, signal_exponent : Expr or number
        b and a: eigenvalues k^-b, signal power k^-a.
    decay : Expr, number or None
        p of the decay (1 - t/T)^p that the ramp replaces; None the best decay, p = 2 b - 1.
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


@lru_cache(maxsize=16)
def _tuned(b: sp.Expr, a: sp.Expr, decay: sp.Expr, ranges: tuple[Any, ...]) -> Diagram:
    """Assemble what the best intrinsic time balances for a number of samples, with noisy labels."""
    box = dict(ranges)
    found = bottlenecks(a, b, ranges)
    used = a.free_symbols | b.free_symbols | decay.free_symbols
    limits = {name: ends for name, ends in box.items() if name in used}
    left = noise_left(b, decay, limits)
    time = found.terms(sp.true, TAU, "time")["time"]
    noise = sp.Add(*(TAU**power * LOG**logs / SAMPLES for power, logs in left))
    above = () if found.above == sp.true or not limits else (found.above,)
    model = CostLimited(
        {"time": time, "noise": noise},
        (TAU,),
        SAMPLES,
        None,
        ((TAU / SAMPLES, 1),),
        limits,
        where=above,
        names={
            frozenset({"time", f"{TAU}/{SAMPLES} <= 1"}): "hard",
            frozenset({"time", "noise"}): "easy",
        },
        constants=False,
        logarithm=LOG if noise.has(LOG) else None,
        reference=BORDELON_2026,
    )
    powers = [power for power, _ in decayed_noise(b, decay)]
    meeting = tuple(one - two for one, two in pairwise(powers))
    return Diagram((Region(found.above, model),), None, meeting)


def derive_batch_ramp(model: RampLimited) -> Derived:
    r"""Derive the batch ramp that equals a decay, and how many serial steps it takes at its best.

    Parameters
    ----------
    model : RampLimited
        Any spectrum, signal and decay.

    Returns
    -------
    Derived
        Growth of the serial steps with the samples: less than all on easy tasks. Forms: ``batch``, the ramp, after the part u of
        the serial steps; ``mean_batch``, the growth of samples per step; ``early_batch`` and ``early_loss``, what large early
        batches do for tasks without label noise, as `derive_early_batch` finds it.

    Examples
    --------
    >>> found = derive_batch_ramp(RampLimited(spectrum_exponent=sp.Rational(3, 2), signal_exponent=2))
    >>> found.expr, found.forms["batch"].expr
    (3/4, B/(1 - u)**(p/(p + 1)))
    """
    instance("model", model, RampLimited)
    diagram = _tuned(
        model.spectrum_exponent, model.signal_exponent, model.decay, tuple(model.box.items())
    )
    early = derive_early_batch(model)
    conditions = tuple(
        part for part in (sp.Gt(model.spectrum_exponent, 1), *diagram.jumps(TAU)) if part != sp.true
    )
    found = Derived(diagram.regimes(TAU), conditions, _nothing, piecewise=True)
    forms = {
        "batch": Form(
            (_BATCH * (1 - _PART) ** (-_DECAY / (_DECAY + 1))).subs(_FROM_ZERO),
            "batch after the part u of the serial steps, which equals the decay (1 - t/T)^p at the batch B",
            (sp.Gt(1, _FROM_ZERO[_PART]),),
        ),
        "serial_steps": Form(
            T / (_DECAY + 1), "serial steps, at the rate at which the decay starts"
        ),
        "mean_batch": Form(1 - found.expr, "power of D with which the best samples per step grow"),
        **early.forms,
    }

    def build() -> Derivation:
        (region,) = diagram.regions
        steps = (
            *_equivalence(),
            *early.derivation.steps,
            *optimum_steps(region.model, TAU, suffix="_ramp", case=region.condition),
        )
        return Derivation(steps, (), {**diagram.box, **early.derivation.box, **_PARTS})

    return Derived(found.regimes, conditions, build, piecewise=True, forms=forms)


def _nothing() -> Derivation:
    return Derivation(())


def _equivalence() -> list[Step]:
    """Write down why a ramp equals a decay."""
    length, passed, intrinsic, slope, rate, cooled, batch, grown = sp.symbols(
        "S r tau_r d_r eta_r theta_r B_s B_u", positive=True
    )
    p, u, x = _DECAY, _PART, sp.Symbol("x", positive=True)
    taken = _RATE * T / (p + 1) * (1 - (1 - x) ** (p + 1))
    steps: list[tuple[sp.Symbol, sp.Expr, Any, str]] = [
        (
            length,
            T / (p + 1),
            DEFINITION,
            "steps at the constant rate eta that take as much intrinsic time as the decay",
        ),
        (
            passed,
            1 - (1 - u) ** (1 / (p + 1)),
            DEFINITION,
            "part of the decay that has passed when the part u of those steps has",
        ),
        (intrinsic, taken.subs(x, passed), DEFINITION, "intrinsic time of the decay by then"),
        (intrinsic, _RATE * length * u, EQUAL, "that of the constant rate"),
        (slope, (sp.diff(taken, x) / T).subs(x, passed), DEFINITION, "its slope: the rate there"),
        (slope, _RATE * (1 - passed) ** p, EQUAL, "the decay (1 - t/T)^p"),
        (rate, _RATE * (1 - passed) ** p, DEFINITION, "which is, then,"),
        (cooled, rate / _BATCH, DEFINITION, "the temperature, with batches of B"),
        (
            batch,
            _BATCH * (1 - u) ** (-p / (p + 1)),
            solves(sp.Eq(_RATE / batch, cooled, evaluate=False)),
            "the batch that has this temperature at the constant rate: the ramp",
        ),
        (
            grown,
            sp.diff(_BATCH * T * (1 - (1 - u) ** (1 / (p + 1))), u) / length,
            DEFINITION,
            "samples of the decay for each of those steps",
        ),
        (grown, batch, EQUAL, "the batch of the ramp: the same samples at equal intrinsic time"),
    ]
    return [step(*entry, reference=SMITH_2018 if entry[0] is batch else None) for entry in steps]


# -- early batches ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _early(b: sp.Expr, a: sp.Expr, ranges: tuple[Any, ...]) -> Diagram:
    box = dict(ranges)
    found = bottlenecks(a, b, ranges)
    terms = found.terms(sp.true, T, "time", "noise")
    limits = {name: ends for name, ends in box.items() if name in a.free_symbols | b.free_symbols}
    above = () if found.above == sp.true or not limits else (found.above,)
    model = CostLimited(
        {
            "time": terms["time"],
            "first steps": power_product(
                [*terms["noise"].as_powers_dict().items(), (_AMPLITUDE, sp.S.NegativeOne)]
            ),
        },
        (T, _AMPLITUDE),
        SAMPLES,
        None,
        ((T / SAMPLES, 1), (_AMPLITUDE / SAMPLES, 1)),
        limits,
        where=above,
        names={
            frozenset({"time", f"{T}/{SAMPLES} <= 1"}): "restored",
            frozenset(
                {"first steps", f"{T}/{SAMPLES} <= 1", f"{_AMPLITUDE}/{SAMPLES} <= 1"}
            ): "noise of the first step",
        },
        constants=False,
    )
    return Diagram((Region(found.above, model),))


def derive_early_batch(model: RampLimited) -> Derived:
    r"""Derive what large early batches do where no label noise asks for large late ones.

    At a fixed batch the noise of the first steps is forgotten as :math:`t^{-\chi}`, :math:`\chi = 2 - 1/b`, however fast a super-easy
    task, :math:`\beta > \chi`, is learned. With :math:`B_s = 1 + T^{\beta-\chi}(1 + s)^{1-\beta}` every octave of steps adds the same,
    with :math:`B_s = (T/(1 + s))^{\beta-\chi}` later ones add less: the loss is :math:`T^{-\beta}` again, with and without a logarithm,
    for a multiple of T samples as long as the first batches are no more than those, :math:`\beta \le \chi + 1`.

    Parameters
    ----------
    model : RampLimited
        Any spectrum and signal; its decay does not matter.

    Returns
    -------
    Derived
        Regimes of the loss against the samples: :math:`\min(\beta, \chi + 1)`.

    Examples
    --------
    >>> found = derive_early_batch(RampLimited(sp.Rational(8, 5), sp.Rational(22, 5)))
    >>> found.expr, derive_early_batch(RampLimited(spectrum_exponent=2, signal_exponent=8)).expr
    (17/8, 5/2)
    """
    instance("model", model, RampLimited)
    a, b = model.signal_exponent, model.spectrum_exponent
    ranges = tuple(model.box.items())
    diagram = _early(b, a, ranges)
    terms = bottlenecks(a, b, ranges).terms(sp.true, T, "time", "noise")
    beta, chi = (sp.cancel(-terms[name].as_base_exp()[1]) for name in ("time", "noise"))
    where = sp.Gt(b, 1)
    conditions = () if where == sp.true else (where,)
    step_number = _FROM_ZERO[_SERIAL]
    forms = {
        "early_batch": Form(
            1 + T ** (beta - chi) * (1 + step_number) ** (1 - beta),
            "batch at step s of t, without label noise, that restores the loss t^-beta, times a logarithm, of super-easy tasks: "
            "beta from chi = 2 - 1/alpha to chi + 1",
        ),
        "early_batch_power": Form(
            (T / (1 + step_number)) ** (beta - chi),
            "batch at step s of t that does the same without the logarithm, for a few times the samples",
        ),
        "early_loss": Form(
            sp.Min(beta, chi + 1),
            "exponent of the loss against samples with such batches, without label noise",
        ),
    }

    def build() -> Derivation:
        (region,) = diagram.regions
        steps = (
            *_octaves(beta, chi),
            *optimum_steps(region.model, suffix="_early", case=region.condition),
        )
        return Derivation(steps, conditions, diagram.box)

    return Derived(diagram.regimes(), conditions, build, piecewise=True, forms=forms)


def _octaves(beta: sp.Expr, chi: sp.Expr) -> list[Step]:
    """Write down what the batches of the first steps must be."""
    wanted, amplitude, batch, added, left = sp.symbols("L_s A_T B_e w_s V_T", positive=True)
    other, falling, first, last = sp.symbols("B_p w_p V_p s_1", positive=True)
    excess = sp.cancel(beta - chi)
    easy = sp.Gt(excess, 0) if excess.is_number else against_zero(excess, sp.Gt)
    if easy == sp.false:
        return []
    around = "noise that an octave of steps around s adds: the loss there over the batch"
    forgotten = "what is left of it after T steps, as linear.sgd_noise derives it"
    steps: list[tuple[sp.Symbol, sp.Expr, Any, str]] = [
        (wanted, _SERIAL**-beta, DEFINITION, "the loss that is wanted after s steps"),
        (amplitude, T**excess, DEFINITION, "size of the first batches"),
        (
            batch,
            amplitude * _SERIAL ** (1 - beta),
            DEFINITION,
            "batches of the first steps; later ones have one sample",
        ),
        (added, _SERIAL * wanted / batch, DEFINITION, around),
        (added, T**-excess, EQUAL, "the same for every octave: hence a logarithm"),
        (left, T**-chi * added, DEFINITION, forgotten),
        (left, T**-beta, EQUAL, "no more than the loss that is wanted"),
        (
            last,
            T ** (excess / (beta - 1)),
            solves(sp.Eq(amplitude * last ** (1 - beta), 1, evaluate=False)),
            "the step at which these batches have fallen to one sample: before the end, since chi exceeds 1",
        ),
        (other, (T / _SERIAL) ** excess, DEFINITION, "batches that fall all the way instead"),
        (falling, _SERIAL * wanted / other, DEFINITION, around),
        (
            falling,
            T**-excess * _SERIAL ** (1 - chi),
            EQUAL,
            "less for every later octave: no logarithm",
        ),
        (first, T**-chi * T**-excess, DEFINITION, forgotten),
        (first, T**-beta, EQUAL, "no more than the loss that is wanted"),
    ]
    return [step(*entry, where=easy) for entry in steps]
