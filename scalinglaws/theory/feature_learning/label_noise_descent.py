r"""Noisy labels: the kernel of a network that has learned shrinks again.

Noise of the labels goes on moving both layers when nothing is left to learn. It pumps the norm of the features, and the readout shrinks:
the kernel's scale s falls on a time that only the strength of the noise sets,

.. math:: t_n = \frac{1}{\gamma\,\theta\,\sigma^2\,\mathrm{Tr}\Lambda}, \qquad \theta = \eta/B .
"""

from __future__ import annotations

import sympy as sp

from ...arguments import instance
from ..derivation import DEFINITION, EQUAL, Derivation, solves, step
from ..records import Derived, Form, Regime
from ..symbols import free_box
from .exponents import GAMMA
from .schedules import SLOWNESS, StepsLimited

_ETA, _BATCH, _SIGMA2, _SCALE = sp.symbols("eta B sigma2 s", positive=True)
_PUMP, _POWER = sp.symbols("nu P", positive=True)
_DRIFT = sp.Symbol("D_c", real=True)
_TIME, _COUNT, _FRONT = sp.symbols("t_n n_n c_n", positive=True)


def derive_label_noise(model: StepsLimited) -> Derived:
    r"""Derive the scale of time on which noisy labels turn the growth of the kernel around.

    The argument keeps a mean and a variance per mode and one scalar, forgets that noise breaks the balance of the layers, and takes
    the output for the target. It gives the right sign, and the scale; its pace is 1.7 times that of the model at :math:`s = 2`, and
    far too fast when s comes close to 1.

    Parameters
    ----------
    model : StepsLimited
        Any spectrum with a trace.

    Returns
    -------
    Derived
        Growth of the number of steps with :math:`r = 1/\eta`. The forms ``time`` and ``steps`` are the scale itself, ``drift`` is
        the change of s in flow time by this argument.

    Examples
    --------
    >>> derive_label_noise(StepsLimited(spectrum_exponent=2)).expr
    2
    """
    instance("model", model, StepsLimited)
    b = sp.sympify(model.spectrum_exponent)
    trace = sp.zeta(b)
    pump = _ETA / _BATCH * _SIGMA2 * trace
    time = 1 / (GAMMA * pump)
    forms = {
        "time": Form(time, "flow time on which the scale of the kernel falls"),
        "steps": Form(time / _ETA, "the same in steps"),
        "drift": Form(
            -GAMMA * pump * (_SCALE - 1) ** 2 / (2 * _SCALE - 1),
            "change of the scale in flow time, by an argument that is 1.7 times too fast at s = 2",
        ),
    }
    conditions = (sp.Gt(b, 1),)

    def build() -> Derivation:
        balance = sp.Eq(
            _SCALE * _POWER,
            (_SCALE - 1) * (_SCALE * _PUMP / 2 - _POWER),
            evaluate=False,
        )
        strength = _SIGMA2 * trace / (_BATCH * SLOWNESS)
        front = _BATCH / (GAMMA * _SIGMA2 * trace)
        steps = (
            step(
                _POWER,
                _PUMP * _SCALE * (_SCALE - 1) / (2 * (2 * _SCALE - 1)),
                solves(balance),
                "the mean output stands still: what the gradient adds, the stationary noise takes away; layers as balanced as without",
            ),
            step(
                _DRIFT,
                2 * (_POWER - _SCALE * _PUMP / 2) + _PUMP,
                DEFINITION,
                "change of the squared readout: the gradient's mean and noise, and the squares of the kicks",
            ),
            step(
                _DRIFT,
                -_PUMP * (_SCALE - 1) ** 2 / (2 * _SCALE - 1),
                EQUAL,
                "it falls: kicks add nu, the stretched noise takes s nu",
            ),
            step(_TIME, 1 / (GAMMA * strength), DEFINITION, "one over the pump of the scale"),
            step(_COUNT, _TIME * SLOWNESS, DEFINITION, "in steps, r = 1/eta"),
            step(_FRONT, front, DEFINITION, "the constant in front"),
            step(_COUNT, _FRONT * SLOWNESS**2, EQUAL, "a power of one over the rate"),
        )
        box = {
            **free_box(model.box, b),
            _SCALE: (sp.Rational(11, 10), sp.Integer(20)),
        }
        return Derivation(steps, conditions, box)

    return Derived(
        (Regime("all", sp.true, sp.Integer(2), None),),
        conditions,
        build,
        forms=forms,
    )
