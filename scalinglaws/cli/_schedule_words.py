"""Schedules, methods and averages as words: ``wsd:0.2``, ``heavy_ball:0.9``, ``tail:0.5``; and solvers that take them so."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import DomainError, unknown_name
from ._grammar import to_float

if TYPE_CHECKING:
    from ..solvers.schedules import DANA, EMA, SGD, HeavyBall, Nesterov, Schedule, TailAverage
    from ..solvers.spectra import Spectrum

FORMS: Mapping[str, tuple[str, ...]] = {
    "constant": (),
    "linear": (),
    "power": ("power",),
    "cosine": (),
    "wsd": ("cooldown",),
    "inverse_power": ("power", "start"),
    "exponential": ("end",),
}
"""Names of schedules, and what may follow them."""

METHODS: Mapping[str, tuple[str, ...]] = {
    "sgd": (),
    "heavy_ball": ("momentum",),
    "nesterov": ("momentum",),
    "dana": ("strength",),
    "dana_constant": ("strength",),
}
AVERAGES: Mapping[str, tuple[str, ...]] = {"tail": ("start",), "ema": ("weight",)}

EXAMPLES = {
    "power": "power:2",
    "wsd": "wsd:0.2",
    "inverse_power": "inverse_power:0.5",
    "exponential": "exponential:0.01",
    "heavy_ball": "heavy_ball:0.9",
    "nesterov": "nesterov:0.9",
    "dana": "dana:1",
    "dana_constant": "dana_constant:1",
    "tail": "tail:0.5",
    "ema": "ema:0.01",
}
_ALSO = {
    "const": "constant",
    "exp": "exponential",
    "heavyball": "heavy_ball",
    "momentum": "heavy_ball",
}
_ALSO |= {"tail_average": "tail", "none": "sgd"}
_LISTED = "one word, as " + ", ".join(EXAMPLES.get(name, name) for name in FORMS)


def split(
    kind: str, word: str, known: Mapping[str, tuple[str, ...]]
) -> tuple[str, dict[str, float]]:
    """Split a word into a name and the numbers that follow it.

    Parameters
    ----------
    kind : str
        What it names: schedule, method or average.
    word : str
        As typed.
    known : mapping of str to tuple of str
        Names, and what their numbers are called.

    Returns
    -------
    name : str
        One of the known ones.
    given : dict of str to float
        Its numbers by name; those at the end may be missing.

    Examples
    --------
    >>> split("schedule", "wsd:0.2", FORMS)
    ('wsd', {'cooldown': 0.2})
    """
    head, *rest = word.strip().split(":")
    name = head.lower().replace("-", "_")
    name = name if name in known else _ALSO.get(name, name)
    if name not in known:
        number = re.fullmatch(r"([a-z_]+?)_?(\d*\.?\d+)", name)
        more = (
            f"what follows a name stands behind a colon: {number[1]}:{number[2]}"
            if number and number[1] in known
            else ""
        )
        raise unknown_name(kind, head, known, more)
    wanted = known[name]
    if len(rest) > len(wanted):
        takes = (
            f"takes {' and '.join(wanted)}, as {EXAMPLES[name]}" if wanted else "takes no number"
        )
        raise DomainError(f"{kind} {word!r}: {name} {takes}", argument=kind, value=word)
    return name, {
        key: to_float(f"{name}:{key}", text) for key, text in zip(wanted, rest, strict=False)
    }


def make_schedule(word: str, *, rate: float, steps: float, warmup: float = 0) -> Schedule:
    """Make the schedule that a word names.

    Parameters
    ----------
    word : str
        For example ``wsd:0.2``.
    rate : float
        Of the undecayed schedule.
    steps, warmup : float
        Whole numbers.

    Returns
    -------
    Schedule
        The schedule.

    Examples
    --------
    >>> make_schedule("linear", rate=1, steps=4).values()
    array([1.  , 0.75, 0.5 , 0.25])
    """
    from ..solvers.schedules import Schedule

    name, given = split("schedule", word, FORMS)
    if name == "inverse_power" and not given:
        raise DomainError(
            f"schedule {word!r} needs its power, as {EXAMPLES[name]}",
            argument="schedule",
            value=word,
        )
    common: dict[str, Any] = {"rate": rate, "steps": steps, "warmup": warmup}
    if name == "linear":
        return Schedule.power(1, **common)
    made: Schedule = getattr(Schedule, name)(**given, **common)
    return made


def make_method(
    word: str,
    *,
    momentum: float | None = None,
    spectrum: Spectrum | None = None,
    features: float = math.inf,
) -> SGD | HeavyBall | Nesterov | DANA:
    """Make the method that a word names.

    Parameters
    ----------
    word : str
        For example ``heavy_ball:0.9``.
    momentum : float, optional
        Of a heavy ball or Nesterov's method, if not in the word.
    spectrum : PowerLawSpectrum or EmpiricalSpectrum, optional
        Its capacity is what DANA adapts to.
    features : float
        To which dana_constant adapts.

    Returns
    -------
    SGD, HeavyBall, Nesterov or DANA
        The method.

    Examples
    --------
    >>> make_method("heavy_ball:0.9")
    HeavyBall(momentum=0.9, polyak=False)
    """
    from ..solvers.schedules import DANA, SGD, HeavyBall, Nesterov

    name, given = split("method", word, METHODS)
    if momentum is not None:
        if "momentum" in given or name.startswith("dana"):
            why = "has its own" if given else "takes none"
            raise DomainError(
                f"momentum = {momentum:g}: the method {word!r} {why}",
                argument="momentum",
                value=momentum,
            )
        name = "heavy_ball" if name == "sgd" else name
        given = {"momentum": momentum}
    if name in ("heavy_ball", "nesterov") and not given:
        raise DomainError(
            f"method {word!r} needs its momentum, as {EXAMPLES[name]}",
            argument="method",
            value=word,
        )
    match name:
        case "sgd":
            return SGD()
        case "heavy_ball":
            return HeavyBall(given["momentum"])
        case "nesterov":
            return Nesterov(given["momentum"])
        case "dana_constant":
            if math.isinf(features):
                raise DomainError(
                    "dana_constant needs features=, a finite number",
                    argument="features",
                    value=features,
                )
            return DANA.constant(features, **given)
    alpha = getattr(spectrum, "alpha", None)
    if alpha is None:
        raise DomainError(
            "dana needs a spectrum with alpha=, its capacity", argument="method", value=word
        )
    return DANA.decaying(float(alpha), **given)


def make_average(word: str | None) -> TailAverage | EMA | None:
    """Make the average that a word names.

    Parameters
    ----------
    word : str or None
        For example ``tail:0.5``; none is none.

    Returns
    -------
    TailAverage, EMA or None
        The average.

    Examples
    --------
    >>> make_average("tail:0.5"), make_average("none")
    (TailAverage(start=0.5), None)
    """
    from ..solvers.schedules import EMA, TailAverage

    if word is None or word.strip().lower() == "none":
        return None
    name, given = split("average", word, AVERAGES)
    if name == "tail":
        return TailAverage(**given)
    if not given:
        raise DomainError(
            f"average {word!r} needs its weight, as {EXAMPLES[name]}",
            argument="average",
            value=word,
        )
    return EMA(**given)


# -- solvers ------------------------------------------------------------------------------------------------------------


def _word(name: str, kind: type, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind.__name__
    )


_ANNOTATIONS = {
    "schedule": "Schedule",
    "method": "Method",
    "average": "Average | None",
    "batch": "float | Schedule",
}
_TYPED = {
    "schedule": (
        [
            _word("schedule", str),
            _word("rate", float),
            _word("steps", int),
            _word("warmup", int, 0),
        ],
        f"""schedule : str
    The shape of the rates, {_LISTED}.
rate : float
    Rate of the undecayed schedule, > 0.
steps : int
    T, the number of steps.
warmup : int
    Steps of linear warm-up.
""",
    ),
    "method": (
        [_word("method", str, "sgd")],
        """method : str
    One word: sgd, heavy_ball:0.9, nesterov:0.9, dana or dana:3 with its strength (adapted to alpha), dana_constant (to features).
""",
    ),
    "average": (
        [_word("average", str, "none")],
        """average : str
    One word: tail:0.5, the mean of all iterates from a part of the steps on; ema:0.01, an exponential one with a weight; none.
""",
    ),
    "batch": (
        [_word("batch", float)],
        """batch : float
    Batch of every step, >= 1; inf for descent on the population loss.
""",
    ),
}


def spoken(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a solver that takes a schedule be called with words; return any other one as it is.

    Parameters
    ----------
    function : callable
        A solver.

    Returns
    -------
    callable
        A function whose schedule, method and average are words, and whose rate and steps are arguments; without arguments that
        are lists of schedules, which the command ``schedule`` takes.
    """
    signature = inspect.signature(function)
    typed = {
        name
        for name, item in signature.parameters.items()
        if name in _TYPED and item.annotation == _ANNOTATIONS[name]
    }
    left_out = {
        name
        for name, item in signature.parameters.items()
        if item.annotation == "Sequence[Schedule]"
    }
    if not typed | left_out:
        return function
    looked_for = "max_rate" in signature.parameters  # then the schedule's own rate does not matter
    taken: list[inspect.Parameter] = []
    documentation = inspect.getdoc(function) or ""
    for name, item in signature.parameters.items():
        if name in left_out:
            continue
        if name not in typed:
            taken.append(item.replace(kind=item.KEYWORD_ONLY))
            continue
        words, described = _TYPED[name]
        taken += [word for word in words if not (looked_for and word.name == "rate")]
        entry = rf"(?m)^{name} : .*\n(?: +.*\n)+"
        documentation = re.sub(entry, lambda _, text=described: text, documentation, count=1)  # type: ignore[misc]

    @functools.wraps(function)
    def call(**given: Any) -> Any:
        if "schedule" in typed:
            shape = {key: given.pop(key) for key in ("rate", "steps", "warmup") if key in given}
            given["schedule"] = make_schedule(given["schedule"], **{"rate": 1.0, **shape})
        if "method" in typed:
            given["method"] = make_method(
                given.get("method", "sgd"),
                spectrum=given.get("spectrum"),
                features=given.get("features", math.inf),
            )
        if "average" in typed:
            given["average"] = make_average(given.get("average"))
        return function(**given)

    call.__doc__ = documentation
    call.__signature__ = signature.replace(parameters=taken)  # type: ignore[attr-defined]
    return call
