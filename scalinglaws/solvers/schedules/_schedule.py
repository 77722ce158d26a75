"""Schedules: a learning rate, or a batch, for every step, as functions that are smooth between breaks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arguments import (
    MOST_EXACT,
    Array,
    afford,
    choice,
    floats,
    function,
    instance,
    number,
    one_row,
    refuse_first,
    whole,
)
from ...equality import by_value
from ...errors import DomainError, refusal
from ...formatting import number as written
from ...reprs import line
from ..equivalents.macro_steps import Mesh, mesh, radau, sums

_LARGEST = 1e290
_VISITED = 4096  # steps that are added up one by one whatever the form
_LISTED = 2**20  # steps up to which all values of a function are looked at
_SEEN = 1e-2  # of the sum over a macro step, how far points may be off
_PROBES, _PROBED = 32, 0.1  # points of a macro step, and how far each may be off
_FADING = 0.9  # of theta halfway: below, the end of a piece is approached in ever shorter steps
_FORMS = {
    "constant": (),
    "power": ("power",),
    "cosine": (),
    "wsd": ("cooldown",),
    "inverse_power": ("power", "start"),
    "exponential": ("end",),
}


@by_value
@dataclass(frozen=True, repr=False)
class Schedule:
    r"""Learning rates :math:`\eta_t`, or batches :math:`B_t`, of the steps t -> t + 1, :math:`t = 0 \dots T - 1`.

    Made by one of its class methods. Between its breaks a schedule is a smooth function that can be evaluated at any real t, so
    that a solver need not visit every step.

    Attributes
    ----------
    form : str
        Name of the method that made it.
    steps : int
        T >= 1.
    rate : float
        Of the undecayed schedule, > 0; the batch at the start where it is one of batches.
    parameters : tuple of float
        What the form needs besides.
    warmup : int
        Steps of linear warm-up: the value of step t < w is multiplied by (t + 1)/w.
    shape : callable or None
        The function of `from_function`.
    listed : ndarray or None
        The values of `from_array`.
    corners : tuple of float
        Steps at which the function of `from_function` is not smooth.

    Examples
    --------
    >>> schedule = Schedule.wsd(rate=0.1, steps=10, cooldown=0.5)
    >>> schedule.values()
    array([0.1 , 0.1 , 0.1 , 0.1 , 0.1 , 0.1 , 0.08, 0.06, 0.04, 0.02])
    >>> schedule.breaks, round(schedule.intrinsic_time, 12)
    ((5,), 0.8)
    """

    form: str
    steps: int
    rate: float
    parameters: tuple[float, ...] = ()
    warmup: int = 0
    shape: Callable[[Array], ArrayLike] | None = None
    listed: Array | None = None
    corners: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check what every form has."""
        self._check_form()
        object.__setattr__(self, "steps", whole("steps", self.steps, high=MOST_EXACT))
        rate = number("rate", self.rate, low=0.0, strict=True, infinite=self.form == "constant")
        if rate < 1 / _LARGEST or _LARGEST < rate < math.inf:
            raise refusal("rate", self.rate, "must lie between 1e-290 and 1e290")
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "warmup", whole("warmup", self.warmup, low=0, high=self.steps))
        if self.form == "wsd" and self.warmup > self._cooldown_start > 0:
            raise refusal("warmup", self.warmup, "must end before the cooldown starts")

    def _check_form(self) -> None:
        """Refuse what no class method makes."""
        form = choice("form", self.form, (*_FORMS, "from_function", "from_array"))
        names = _FORMS.get(form, ())
        if not isinstance(self.parameters, tuple) or len(self.parameters) != len(names):
            wanted = f"of {form} must be {', '.join(names) or 'empty'}"
            raise refusal("parameters", self.parameters, f"{wanted}; use Schedule.{form}")
        for name, value in zip(names, self.parameters, strict=True):
            number(name, value)
        if (self.shape is not None) != (form == "from_function"):
            raise refusal("shape", self.shape, "goes with Schedule.from_function only")
        if isinstance(self.listed, np.ndarray) != (form == "from_array"):
            raise refusal("listed", self.listed, "goes with Schedule.from_array only", shown=False)
        if not isinstance(self.corners, tuple) or (self.corners and form != "from_function"):
            raise refusal("corners", self.corners, "goes with Schedule.from_function only")

    @classmethod
    def constant(cls, rate: float, steps: int, *, warmup: int = 0) -> Schedule:
        r"""Make the same rate for every step; ``math.inf`` for a batch.

        Examples
        --------
        >>> Schedule.constant(0.1, 3).values()
        array([0.1, 0.1, 0.1])
        """
        return cls("constant", steps, rate, warmup=warmup)

    @classmethod
    def power(cls, power: float = 1.0, *, rate: float, steps: int, warmup: int = 0) -> Schedule:
        r"""Make :math:`\eta (1 - t/T)^p`; p = 1 falls linearly, p = 0 is constant.

        Examples
        --------
        >>> Schedule.power(1, rate=1, steps=4).values()
        array([1.  , 0.75, 0.5 , 0.25])
        """
        return cls("power", steps, rate, (number("power", power, low=0.0, high=1e3),), warmup)

    @classmethod
    def cosine(cls, *, rate: float, steps: int, warmup: int = 0) -> Schedule:
        r"""Make :math:`\frac\eta2 (1 + \cos\frac{\pi t}{T})`, which ends as the power 2 does.

        Examples
        --------
        >>> Schedule.cosine(rate=1, steps=4).values().round(4)
        array([1.    , 0.8536, 0.5   , 0.1464])
        """
        return cls("cosine", steps, rate, warmup=warmup)

    @classmethod
    def wsd(cls, *, rate: float, steps: int, cooldown: float = 0.2, warmup: int = 0) -> Schedule:
        r"""Make warm-up, stable phase and linear cooldown over the last part f of the steps.

        The rate is :math:`\eta` before :math:`t_1 = \mathrm{round}(T (1 - f))`, then :math:`\eta (T - t)/(T - t_1)`.

        Examples
        --------
        >>> Schedule.wsd(rate=1, steps=5, cooldown=0.4, warmup=2).values()
        array([0.5, 1. , 1. , 1. , 0.5])
        """
        share = number("cooldown", cooldown, low=0.0, high=1.0)
        return cls("wsd", steps, rate, (share,), warmup)

    @classmethod
    def inverse_power(
        cls, power: float, *, start: float = 1.0, rate: float, steps: int, warmup: int = 0
    ) -> Schedule:
        r"""Make :math:`\eta (1 + t/t_0)^{-q}`; for a batch a negative power lets it grow.

        Examples
        --------
        >>> Schedule.inverse_power(0.5, start=1, rate=1, steps=4).values().round(4)
        array([1.    , 0.7071, 0.5774, 0.5   ])
        """
        parameters = (
            number("power", power, low=-1e3, high=1e3),
            number("start", start, low=1e-9, high=_LARGEST),
        )
        return cls("inverse_power", steps, rate, parameters, warmup)

    @classmethod
    def exponential(
        cls, end: float = 0.01, *, rate: float, steps: int, warmup: int = 0
    ) -> Schedule:
        r"""Make :math:`\eta\, \epsilon^{t/T}`, which falls by the factor `end`.

        Examples
        --------
        >>> Schedule.exponential(0.01, rate=1, steps=4).values().round(4)
        array([1.    , 0.3162, 0.1   , 0.0316])
        """
        low, high = 1 / _LARGEST, _LARGEST
        return cls("exponential", steps, rate, (number("end", end, low=low, high=high),), warmup)

    @classmethod
    def from_function(
        cls,
        shape: Callable[[Array], ArrayLike],
        breaks: ArrayLike = (),
        *,
        steps: int,
        rate: float = 1.0,
        warmup: int = 0,
    ) -> Schedule:
        r"""Make a schedule from a function of the step.

        Parameters
        ----------
        shape : callable
            Takes a row of real steps in [0, T), returns as many values > 0; `rate` times them is the schedule. It must be
            smooth on each interval between breaks, ends included as limits from inside, on the scale of the time since the last
            break: what is narrower is looked for, and found for sure up to 1e6 steps only.
        breaks : array_like of int
            Steps in (0, T) where a new piece starts, increasing.
        steps : int
            T.
        rate : float
            A factor.
        warmup : int
            Steps of warm-up.

        Examples
        --------
        >>> Schedule.from_function(lambda t: 1 / (1 + t), steps=3).values().round(4)
        array([1.    , 0.5   , 0.3333])
        """
        made = cls("from_function", steps, rate, warmup=warmup, shape=function("shape", shape))
        corners: tuple[int, ...] = ()
        if np.size(breaks):
            row = one_row("breaks", breaks, low=0.0, strict=True, increasing=True)
            wrong = (row != np.floor(row)) | (row >= made.steps)
            refuse_first("breaks", row, wrong, "must be a whole number below steps")
            corners = tuple(int(entry) for entry in row)
        made = replace(made, corners=corners)
        made._look()
        return made

    @classmethod
    def from_array(cls, values: ArrayLike) -> Schedule:
        r"""Make a schedule from its values, one for each step, > 0 (zero where a step is not taken).

        Examples
        --------
        >>> Schedule.from_array([0.3, 0.1]).intrinsic_time
        0.4
        """
        row = one_row("values", values, low=0.0)
        refuse_first("values", row, row > _LARGEST, "must be at most 1e290")
        if not np.any(row > 0):
            raise refusal("values", row, "must not all be zero", shown=False)
        row = np.array(row)
        row.setflags(write=False)
        return cls("from_array", row.size, float(np.max(row)), listed=row)

    def with_rate(self, rate: float) -> Schedule:
        """Return the same shape with another largest rate (for an array, all of it scaled).

        Examples
        --------
        >>> Schedule.cosine(rate=1, steps=4).with_rate(0.1).rate
        0.1
        """
        if self.listed is not None:
            factor = number("rate", rate, low=0.0, strict=True) / self.rate
            return Schedule.from_array(factor * self.listed)
        return replace(self, rate=rate)

    def with_warmup(self, steps: int) -> Schedule:
        """Return the schedule with its first steps multiplied by 1/w, 2/w, ..., 1.

        Examples
        --------
        >>> Schedule.constant(1, 4).with_warmup(2).values()
        array([0.5, 1. , 1. , 1. ])
        """
        count = whole("steps", steps, low=0, high=self.steps)
        if self.listed is not None:
            ramp = np.minimum((np.arange(self.steps) + 1.0) / max(count, 1), 1.0)
            return Schedule.from_array(self.listed * ramp)
        return replace(self, warmup=count)

    @property
    def breaks(self) -> tuple[int, ...]:
        """Steps in (0, T) at which another smooth piece starts."""
        found = set(self.corners)
        if self.form == "wsd":
            found.add(self._cooldown_start)
        if self.warmup:
            found.add(self.warmup)
        return tuple(sorted(entry for entry in found if 0 < entry < self.steps))

    @property
    def smooth(self) -> bool:
        """Whether the schedule is a function between breaks, and no array."""
        return self.listed is None

    @property
    def regular(self) -> bool:
        """Whether the schedule goes on smoothly beyond its end."""
        return self.form in ("constant", "inverse_power", "exponential")

    def pace(self, low: int) -> float:
        """Return what macro steps behind a break may be as long as, in units of those of a constant rate.

        Examples
        --------
        >>> Schedule.wsd(rate=1, steps=100, warmup=10).pace(0)
        0.5
        """
        if whole("low", low, low=0, high=self.steps) < self.warmup:
            return 0.5
        return 0.85 if self.form == "inverse_power" else 1.0

    def fades(self, batch: Schedule, low: int, high: int) -> bool:
        """Tell whether the temperature rate/batch vanishes, or may end as a fractional power, towards the end of a piece.

        Examples
        --------
        >>> schedule, batch = Schedule.wsd(rate=1, steps=100), Schedule.constant(4, 100)
        >>> schedule.fades(batch, 0, 80), schedule.fades(batch, 80, 100)
        (False, True)
        """
        first, last = (
            whole("low", low, low=0, high=self.steps),
            whole("high", high, high=self.steps),
        )
        instance("batch", batch, Schedule)
        if last - first < 4 or (self.regular and batch.regular):
            return False
        if last == self.steps and self.form in ("power", "cosine", "wsd"):
            return True
        places = np.array([0.5 * (first + last), last - 1.0])
        if not (self.smooth and batch.smooth):
            places = np.floor(places)
        rate, size = self(places), batch(places)
        if np.isinf(size[0]):
            return bool(rate[1] < _FADING * rate[0])
        return bool(rate[1] * size[0] < _FADING * rate[0] * size[1])

    def looks(self) -> Array:
        """Return steps that show how far a schedule goes: all of an array, and of a function unless they are too many.

        Examples
        --------
        >>> Schedule.from_array([3, 1, 2]).looks()
        array([0., 1., 2.])
        """
        if not self.smooth or (self.form == "from_function" and self.steps <= _LISTED):
            return np.arange(self.steps, dtype=float)
        if self.form == "constant" and not self.warmup:
            return np.zeros(1)
        segments = self.segments()
        return mesh(segments, [True] * len(segments), 0.4).times.ravel()

    def follows(self, at: Mesh) -> bool:
        """Tell whether a function is what its values at the points of macro steps say: of all steps, or of probes if they are too many.

        Parameters
        ----------
        at : Mesh
            Macro steps, as `scalinglaws.solvers.equivalents.macro_steps.mesh` makes them.

        Returns
        -------
        bool
            True for what is no function: the other forms are known to be smooth between their breaks.

        Raises
        ------
        DomainError
            If the macro steps are not those of so many steps.
        """
        instance("at", at, Mesh)
        if at.ends[-1] != self.steps:
            complaint = f"has {at.ends[-1]} steps, the schedule {self.steps}"
            raise refusal("at", at.ends[-1], complaint, shown=False)
        if self.form != "from_function":
            return True
        long = at.lengths > 1
        if not np.any(long):
            return True
        values, starts, lengths = self(at.times[long]), at.starts[long], at.lengths[long]
        if self.steps <= _LISTED:
            inside, listed = at.backward[long][:, :, 1:], self.values()
            for power in (1, 2):  # what moves, and what makes noise
                known = np.concatenate(([0.0], np.cumsum(listed if power == 1 else listed**2)))
                known = known[starts + lengths] - known[starts]
                added = np.linalg.solve(inside, values[:, :, None] ** power)[:, -1, 0]
                if np.any(np.abs(added - known) > _SEEN * known):
                    return False
            return True
        # golden sections of every macro step against the polynomial through its points
        share = (np.arange(1, _PROBES + 1) * 0.6180339887498949) % 1.0
        steps = starts[:, None] + np.floor(share * lengths[:, None])
        x = (steps - starts[:, None] + 1) / lengths[:, None]
        c = radau()[1:]
        found = np.zeros_like(x)
        for k in range(c.size):
            others = np.delete(c, k)
            found += values[:, k, None] * np.prod(
                (x[..., None] - others) / (c[k] - others), axis=-1
            )
        return bool(
            np.all(np.abs(found - self(steps)) <= _PROBED * np.max(values, axis=1)[:, None])
        )

    @property
    def intrinsic_time(self) -> float:
        r"""The sum of all rates, :math:`\tau_T = \sum_t \eta_t`: exact up to 1e6 steps, by quadrature beyond."""
        if not self.smooth or self.steps <= 1_000_000:
            return float(np.sum(self.values()))
        return self._summed()

    @property
    def extent(self) -> float:
        """The sum of all rates to 1e-3, without visiting all steps where the schedule is known to be smooth."""
        named = self.form in _FORMS and self.steps > _VISITED
        return self._summed() if named else self.intrinsic_time

    def _summed(self) -> float:
        """Return the sum of all rates by quadrature."""
        segments = self.segments()
        found = mesh(segments, [not self.regular] * len(segments), 0.2)
        return float(sums(found, self(found.times))[-1])

    @property
    def _cooldown_start(self) -> int:
        return self.steps - round(self.steps * self.parameters[0])

    def values(self) -> Array:
        """Return the value of every step, shape (T,)."""
        if self.listed is not None:
            return np.array(self.listed)
        afford(3.0 * self.steps, "the list of all steps", "take fewer steps")
        if self.form == "from_function" and self.steps <= _LISTED:
            return self._values.copy()
        return self(np.arange(self.steps, dtype=float))

    @cached_property
    def _values(self) -> Array:
        """Every value of a function that is looked at in full, several times in a run."""
        return self(np.arange(self.steps, dtype=float))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be computed again."""
        return {name: value for name, value in vars(self).items() if name != "_values"}

    def __call__(self, steps: ArrayLike) -> Array:
        """Return the value at real steps in [0, T); of an array at whole ones."""
        t = floats("steps", steps)
        wrong = ~((t >= 0) & (t < self.steps))
        if self.listed is not None:
            wrong |= t != np.floor(t)
        kind = "a whole number " if self.listed is not None else ""
        refuse_first("steps", t, wrong, f"must be {kind}in [0, {self.steps})")
        return self._at(t)

    def _at(self, t: Array) -> Array:
        """Return the value at real steps a solver has checked."""
        if self.listed is not None:
            return np.asarray(self.listed[t.astype(np.int64)])
        found = self.rate * self._relative(t)
        if self.warmup:
            found = np.where(t < self.warmup, found * (t + 1) / self.warmup, found)
        return found

    def _relative(self, t: Array) -> Array:
        """Return the value over the undecayed rate."""
        left = (self.steps - t) / self.steps  # 1 - t/T loses digits at the end
        match self.form:
            case "constant":
                return np.ones_like(t)
            case "power":
                return left ** self.parameters[0]
            case "cosine":
                return np.asarray(np.sin(0.5 * np.pi * left) ** 2)
            case "wsd":
                start = self._cooldown_start
                return np.minimum(1.0, (self.steps - t) / max(self.steps - start, 1))
            case "inverse_power":
                power, origin = self.parameters
                return np.asarray(np.exp(-power * np.log1p(t / origin)))
            case "exponential":
                return np.asarray(np.exp(t / self.steps * math.log(self.parameters[0])))
        assert self.shape is not None
        return self._checked(t)

    def _checked(self, t: Array) -> Array:
        """Call the given function, and look at what it returns."""
        assert self.shape is not None
        with np.errstate(all="ignore"):
            given = np.asarray(self.shape(t.ravel()))
        if given.dtype.kind not in "iuf":
            raise refusal("shape", self.shape, "must return real numbers", shown=False)
        if given.shape not in ((), (t.size,)):
            raise refusal(
                "shape",
                given.shape,
                f"must return one value for each step; got shape {given.shape} for ({t.size},)",
                shown=False,
            )
        found = np.broadcast_to(given, t.size).astype(float).reshape(t.shape)
        wrong = ~((found > 1 / _LARGEST) & (found < _LARGEST))
        if np.any(wrong):
            first = np.flatnonzero(wrong.ravel())[0]
            raise DomainError(
                f"shape must return numbers between 1e-290 and 1e290; got {found.ravel()[first]:.6g} at step {t.ravel()[first]:.6g}",
                argument="shape",
                value=float(found.ravel()[first]),
            )
        return found

    def segments(self) -> tuple[tuple[int, int], ...]:
        """Return the intervals between breaks."""
        return tuple(pairwise((0, *self.breaks, self.steps)))

    def _look(self) -> None:
        """Call the given function at the ends and in the middle of each interval."""
        low, high = np.array(self.segments(), dtype=float).T
        self._checked(np.sort(np.concatenate([low, 0.5 * (low + high - 1), high - 1])))

    def __repr__(self) -> str:
        """Return the call that makes it."""
        if self.listed is not None:
            return line(f"Schedule.from_array(<{self.steps} values up to {self.rate:.6g}>)")
        names = _FORMS.get(self.form, ())
        given: list[tuple[str, Any]] = list(zip(names, self.parameters, strict=False))
        if self.shape is not None:
            given.append(("shape", getattr(self.shape, "__name__", type(self.shape).__name__)))
        given += [("rate", self.rate), ("steps", self.steps)]
        given += [("warmup", self.warmup)] if self.warmup else []
        inside = ", ".join(
            f"{name}={value if isinstance(value, str) else written(value)}" for name, value in given
        )
        return line(f"Schedule.{self.form}({inside})")


def as_schedule(name: str, value: Any, steps: int) -> Schedule:
    """Return a schedule of so many steps, from one or from a number for all steps."""
    if isinstance(value, Schedule):
        if value.steps != steps:
            raise refusal(
                name, value, f"has {value.steps} steps, the learning rate {steps}", shown=False
            )
        return value
    if np.ndim(value):
        raise refusal(
            name, value, "must be a number or a Schedule; use Schedule.from_array", shown=False
        )
    return Schedule.constant(
        number(name, value, low=1 / _LARGEST, high=_LARGEST, infinite=True), steps
    )


def unseen(name: str, schedule: Schedule) -> DomainError:
    """Build the error for a function of which macro steps do not see enough."""
    complaint = "or the batch varies within some steps by more than what is seen of it: give breaks there, or Schedule.from_array"
    return refusal(name, schedule, complaint, shown=False)
