"""Every public callable and command, and hostile values for its parameters, found from signatures.

Nothing lists callables by hand: what a package names in its `__all__` is tried, with values of the kinds that its annotations
name. A parameter of a kind that is not known here is an error that says so; in ``hostile_values.py``, `LEAVES` is the place to
add it, `NAMED` the place for values that a parameter of some name takes without complaint.

Run it for the figures, of everything or of what has some words in its path: ``python tests/hostile.py theory linear``.
"""

import ast
import inspect
import io
import math
import os
import pkgutil
import random
import re
import resource
import runpy
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from numba.core import event

import scalinglaws
from scalinglaws import errors, solvers, sweep, theory, verify
from scalinglaws.cli import app, run
from scalinglaws.results import Result
from scalinglaws.solvers import Spectrum
from scalinglaws.verify.checks.empirical.accuracy import draw_task
from scalinglaws.verify.estimate import (
    ScheduledCurve,
    fit_schedule_law,
    learnability_ladder,
    norm_exponents,
)
from scalinglaws.verify.registry import theories
from scalinglaws.verify.simulate import feature_learning as simulated
from scalinglaws.verify.simulate import kernel_adaptation as simulated_posteriors
from scalinglaws.verify.simulate import renormalization as simulated_likelihoods
from scalinglaws.verify.simulate.perceptron import DigitsCurves

OPEN = ("notation", "sweep", "solvers.spectra")
"""Modules for everybody that list nothing: all that they define is public."""
ROOMS = ("theory", "solvers", "verify.simulate", "verify.plots")

BUDGET = 2e8
"""Bytes that one call may hold while it is tried (the package's own budget), and ten times that before the machine refuses."""
SECONDS = 10
"""Seconds of the processor after which a call counts as endless; what a compiler takes in them is its own affair."""

_VALUES = runpy.run_path(str(Path(__file__).with_name("hostile_values.py")))
SPECTRA, EXTREME, WRONG, TEXTS = (
    _VALUES[name] for name in ("SPECTRA", "EXTREME", "WRONG", "TEXTS")
)
NAMED, NEVER_LEFT_OUT, LEAVES = (_VALUES[name] for name in ("NAMED", "NEVER_LEFT_OUT", "LEAVES"))
RUN_NOTHING, TYPED = _VALUES["RUN_NOTHING"], _VALUES["TYPED"]


class UnknownKindError(Exception):
    """A parameter of a kind that has no values here."""


# -- what there is ------------------------------------------------------------------------------------------------------


def is_function(thing):
    """Tell whether something is a function, one that remembers what it returned among them."""
    return callable(thing) and inspect.isfunction(inspect.unwrap(thing))


@cache
def public():
    """Return every public function and class by path, each once."""
    found, seen = {}, set()
    modules = [info.name for info in pkgutil.walk_packages(scalinglaws.__path__, "scalinglaws.")]
    for path in ("scalinglaws", *modules):
        if any(part.startswith("_") for part in path.split(".")) or ".cli" in path:
            continue
        module = import_module(path)
        for name in getattr(module, "__all__", _defined(module)):
            thing = getattr(module, name)
            if (is_function(thing) or inspect.isclass(thing)) and id(thing) not in seen:
                seen.add(id(thing))
                found[f"{path}.{name}".removeprefix("scalinglaws.")] = thing
    return found


def _defined(module):
    """Return what a module offers that lists nothing: the shared ones here, and theories in one file."""
    path = module.__name__.removeprefix("scalinglaws.")
    room, _, name = path.rpartition(".")
    if path not in OPEN and not (room in ROOMS and name in theories()):
        return []
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__
    ]


def is_described(thing):
    """Tell whether a class checks what it is made of: a problem's description, which people write, and no record."""
    return is_dataclass(thing) and not issubclass(thing, Result) and "__post_init__" in vars(thing)


ENDLESS = ("explore.serve", "explore")
"""A function and a command that run until they are interrupted; `tests/explore` and the spoiled lines try what they refuse."""


def callables():
    """Yield path and callable: functions, constructors that check, and methods of both kinds of classes."""
    for path, thing in public().items():
        if path in ENDLESS:
            continue
        if is_function(thing) or is_described(thing):
            yield path, thing
        if inspect.isclass(thing) and (issubclass(thing, Result) or is_described(thing)):
            for name, member in vars(thing).items():
                if not name.startswith("_") and inspect.isfunction(member):
                    yield f"{path}.{name}", member


def parameters(call):
    """Return the parameters of a callable that are tried: all but what collects misplaced ones, and the options of others."""
    return [
        entry
        for entry in inspect.signature(call).parameters.values()
        if entry.name not in ("misplaced", "options")
    ]


# -- values -------------------------------------------------------------------------------------------------------------


def sane(parameter, call):
    """Return values for which a parameter is made; those of its name before those of its kind."""
    if parameter.name == "self":
        return (made(_meaning(call.__qualname__.partition(".")[0], call)),)
    if parameter.kind is parameter.VAR_KEYWORD:
        return ({}, {"alpha": 1.5}, {"alpha": 1.5, "beta": 1.0}, {"nothing": 1})
    if parameter.kind is parameter.VAR_POSITIONAL:
        return (("linear.data",), ())
    kind = _of(ast.parse(_text(parameter.annotation), mode="eval").body, call)
    named = NAMED.get(parameter.name, ())
    if any(value is made for value in kind for made in _made.values()):
        return kind  # what is asked for is an object, whatever its name
    return (*named, *kind) if len(named) == 0 else named


def _text(annotation):
    if annotation is inspect.Parameter.empty:
        raise UnknownKindError("no annotation")
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return re.sub(r"\[np\.\w+\]", "", text)


def _of(node, call):
    match node:
        case ast.BinOp(left=left, right=right):
            return (*_of(left, call), *_of(right, call))
        case ast.Constant(value=None):
            return (None,)
        case ast.Constant(value=str(text)):
            return _of(ast.parse(text, mode="eval").body, call)
        case ast.Subscript(value=outer, slice=inner):
            kind = ast.unparse(outer).rpartition(".")[2]
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if kind == "Callable":
                return LEAVES["Callable"]
            inside = [
                _of(part, call)
                for part in parts
                if not (isinstance(part, ast.Constant) and part.value is ...)
            ]
            if kind in ("Mapping", "dict"):
                return (
                    {},
                    *({key: value} for key, value in zip(*inside, strict=False) if _hashable(key)),
                )
            if kind == "tuple" and len(inside) > 1:
                return tuple(zip(*inside, strict=False))
            if kind in ("tuple", "Sequence", "Iterable", "Collection", "list"):
                return tuple((value,) for value in inside[0])
    name = ast.unparse(node)
    if name in LEAVES:
        return LEAVES[name]
    meant = _meaning(name, call)
    if inspect.isclass(meant):
        return (made(meant),)
    text = re.sub(r"scalinglaws[\w.]*\.", "", str(meant))
    return _of(ast.parse(text, mode="eval").body, call)


def _meaning(name, call):
    """Return what a name in an annotation stands for: in the module of the callable, or else among all that is public."""
    own = vars(import_module(call.__module__)).get(name)
    if own is not None:
        return own
    for thing in public().values():
        if inspect.isclass(thing) and thing.__name__ == name:
            return thing
    raise UnknownKindError(name)


def _hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _norm_exponents():
    """Measure exponents of curves that fall up to an elbow."""
    samples, norm = np.array([10.0, 40, 160, 640])[:, None], np.geomspace(1, 1e4, 300)
    curve = samples**-0.2 * np.minimum(np.maximum(norm, 0.01), 10 * samples**0.5) ** -0.6
    noisy = curve * np.random.default_rng(0).normal(1, 0.001, (5, 1, 1))
    return norm_exponents(samples[:, 0], np.broadcast_to(norm, noisy.shape), noisy, resamples=20)


def _scheduled_curve():
    """Make a curve that falls along with a rate that drops."""
    steps = np.arange(20, 201, 5)
    return ScheduledCurve(
        np.repeat([0.1, 0.02], 100), steps, 1 + steps**-0.5 - 0.05 * (steps > 100)
    )


_made = {}
_making = set()


def _recipes():
    runs = verify.empirical.example_runs("gadre", where={"dataset": ["c4_original", "rpj"]})
    return verify.empirical.compare_recipes("surface", runs, "c4_original", bootstrap=20)


MAKERS = {
    "DigitsCurves": lambda: DigitsCurves(
        np.array([20.0, 80.0]), np.array([0, 4]), *np.full((2, 2, 2, 2), 0.5), np.ones((1, 2, 2, 2))
    ),
    "LearnabilityLadder": lambda: learnability_ladder(
        simulated_posteriors.gaussian_process_point, [2, 3], [[20, 40], [30]], datasets=2, rng=0
    ),
    "DeepSample": lambda: simulated_posteriors.sample_deep(
        [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
        [1.0, -1.0, 0.5],
        neurons=(3, 2),
        ridge=0.5,
        chains=2,
        draws=8,
        warmup=20,
        rng=0,
        on_failure="return",
    ),
    "LikelihoodSample": lambda: simulated_likelihoods.sample_likelihood(
        [[1.0, 0.0], [0.5, 1.0]],
        [1.0, -1.0],
        eigenvalues=[1.0, 0.5],
        couplings=[0.5, 0.5],
        draws=20,
        rng=0,
        on_failure="return",
    ),
    "NormExponents": _norm_exponents,
    "Pattern": lambda: theory.patterns.sample_complexity(
        theory.patterns.fully_connected((1,), 3)
    ).winners[0],
    "TwoLayer": lambda: solvers.kernel_adaptation.two_layer(
        [1.0, 0.2], dimension=20, width=100.0, scale=100.0, ridge_per_sample=0.1
    ),
    "ScheduledCurve": _scheduled_curve,
    "ScheduleLawFit": lambda: fit_schedule_law([_scheduled_curve()], bootstrap=2),
    "TaskLearnability": lambda: verify.empirical.learnability(
        eigenvalues=[1.0, 0.1], coefficients=[1.0, 0.3], ridge=0.1
    ),
    "TaskMeasurement": lambda: verify.empirical.measure(
        eigenvalues=np.arange(1.0, 201) ** -1.5, coefficients=np.arange(1.0, 201) ** -0.9
    ),
    "AdaptedKernels": lambda: solvers.kernel_adaptation.adapt(
        np.eye(4, 2), np.arange(4.0), layers=[5, 4], activation="erf", scale=20.0, ridge=0.5
    ),
    "LinearCNN": lambda: solvers.kernel_adaptation.linear_cnn(
        samples=[25, 50], ridge=0.05, scale=50, channels=200, patches=6, patch_size=10
    ),
    "AlignmentProbability": lambda: solvers.patterns.log_alignment(10, 5.0, samples=2000, rng=0),
    "CostLimited": lambda: theory.linear.ComputeLimited().cases[0].model,
    "Comparison": lambda: verify.Comparison(
        "a.test", MAKERS["Prediction"](), verify.Measurement(1.0, 0.1, None, 3, "", (1, 2)), 0.1
    ),
    "Prediction": lambda: verify.Prediction("g", "exponent", 1.0, "a test"),
    "CurveComparison": lambda: verify.empirical.compare_curves(
        [_scheduled_curve()], laws=["momentum"], holdout=None
    ),
    "CurveFit": lambda: verify.empirical.fit_curves("momentum", [_scheduled_curve()], holdout=None),
    "Design": lambda: verify.empirical.design(
        verify.empirical.from_parameters("besiroglu"),
        budget=1e22,
        target={"compute": 1e24},
        max_runs=8,
        noise=0.005,
    ),
    "Fit": lambda: verify.empirical.fit(
        "surface", verify.empirical.example_runs("synthetic"), bootstrap=20
    ),
    "GroupFits": lambda: _recipes().fits,
    "RecipeComparison": lambda: _recipes(),
    "ComputeMultiplier": lambda: _recipes().multipliers["rpj"],
    "SharingTest": lambda: _recipes().test,
    "TaskFit": lambda: verify.empirical.fit_task(draw_task(np.random.default_rng(0)), bootstrap=20),
    "AccuracyPrediction": lambda: MAKERS["TaskFit"]().predict(1e9, 2e10),
    "BetweenGroups": lambda: _recipes().fits.between("a"),
    "LawComparison": lambda: verify.empirical.compare_laws(
        ["surface", "kaplan"], verify.empirical.example_runs("synthetic")
    ),
    "ComparedLaw": lambda: MAKERS["LawComparison"]().rows[0],
    "LocalSlopes": lambda: verify.empirical.local_slopes(
        np.geomspace(1, 1e4, 17), np.geomspace(2, 1, 17)
    ),
    "Mesh": lambda: solvers.equivalents.macro_steps.mesh([(0, 200)], [True], 0.3),
    "Schedule": lambda: solvers.schedules.Schedule.wsd(rate=0.05, steps=200, cooldown=0.2),
    "ScheduledTraining": lambda: solvers.schedules.train(
        MAKERS["Schedule"](), solvers.PowerLawSpectrum(1.5, 0.5), batch=4, noise_variance=0.1
    ),
    "FitLaw": lambda: verify.empirical.fits.fit_law("surface"),
    "Plan": lambda: verify.empirical.plan(
        verify.empirical.from_parameters("besiroglu"), compute=1e22
    ),
    "Runs": lambda: verify.empirical.example_runs("synthetic"),
    "Sweep": lambda: sweep.Sweep(("x",), ((1,), (2,)), (1.0, 4.0), (2,)),
    "SimulatedCircle": lambda: simulated.circle_network(
        [1.0, 2.0], neurons=4, samples=10, richness=1.0, target_exponent=1.0, harmonics=4
    ),
}
"""Objects that no public callable makes of the values above, by the name of their class."""


def made(kind):
    """Return an object of a class: what some public callable returns for sane arguments, its constructor among them."""
    if kind in _made:
        return _made[kind]
    if kind in _making:
        raise UnknownKindError(kind.__name__)
    if kind.__name__ in MAKERS:
        return _made.setdefault(kind, MAKERS[kind.__name__]())
    _making.add(kind)
    try:
        makers = [
            call
            for call in public().values()
            if getattr(call, "__annotations__", {}).get("return") == kind.__name__
        ]
        for call in [kind, *makers] if is_described(kind) or not makers else makers:
            for attempt in range(20):
                try:
                    found = _called(call, sane_call(call, random.Random(attempt)))
                except Exception:
                    continue
                if type(found) is kind:
                    return _made.setdefault(kind, found)
    finally:
        _making.discard(kind)
    raise UnknownKindError(kind.__name__)


def spoiled(call, name, value):
    """Return a hostile value in the way that a parameter collects it, if it does."""
    kind = inspect.signature(call).parameters[name].kind
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return (value,)
    return {"alpha": value, "beta": 1.0} if kind is inspect.Parameter.VAR_KEYWORD else value


def is_given(parameter):
    """Tell whether a parameter must be given."""
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return False
    return parameter.default is parameter.empty or parameter.name in NEVER_LEFT_OUT


def sane_call(call, source):
    """Draw arguments that should do, the same for the same source."""
    return {
        entry.name: source.choice(sane(entry, call))
        for entry in parameters(call)
        if is_given(entry) or source.random() < 0.3
    }


# -- commands -----------------------------------------------------------------------------------------------------------


def commands(app, path=()):
    """Yield the words of every command, and its function."""
    for name in app:
        if not name.startswith("-"):
            inner = app[name]
            if inner.default_command is not None:
                yield (*path, name), inner.default_command
            yield from commands(inner, (*path, name))


def ending_commands(app):
    """Yield those that end by themselves."""
    return ((words, function) for words, function in commands(app) if words[0] not in ENDLESS)


def tokens(function, entry, value):
    """Return how an argument of a command is typed: by place, or by the name that its annotation gives it."""
    if entry.kind in (entry.POSITIONAL_ONLY, entry.VAR_POSITIONAL):
        return [value]
    extras = getattr(get_type_hints(function, include_extras=True)[entry.name], "__metadata__", ())
    given = [name for extra in extras for name in getattr(extra, "name", None) or ()]
    option = given[0] if given else "--" + entry.name.replace("_", "-")
    return [option] if isinstance(entry.default, bool) else [option, value]


# -- what may happen ----------------------------------------------------------------------------------------------------


class Compiler(event.Listener):
    """How often, and whether just now, kernels are compiled: once in the life of a cache, and no part of a call."""

    def __init__(self):
        self.times, self.open = 0, 0

    def on_start(self, _):
        self.times, self.open = self.times + 1, self.open + 1

    def on_end(self, _):
        self.open -= 1


COMPILER = Compiler()
event.register("numba:compile", COMPILER)


class EndlessError(BaseException):
    """A call that did not end: no `Exception`, so that nothing catches it on its way."""


@contextmanager
def bounded():
    """Bound the processor time and the memory of what is done inside."""

    seen = COMPILER.times

    def stop(*_):
        nonlocal seen
        if COMPILER.open or COMPILER.times > seen:
            seen = COMPILER.times
            signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.1)
            return
        raise EndlessError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (held + int(10 * BUDGET), hard))
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def fault(call, arguments):
    """Call, and say what is wrong with what happened; nothing is an empty text."""
    try:
        with bounded(), warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
            warnings.simplefilter("error")
            for kind in (
                errors.AccuracyWarning,
                errors.StabilityWarning,
                errors.ExtrapolationWarning,
            ):
                warnings.simplefilter("ignore", kind)
            found = _called(call, arguments)
    except errors.ScalingLawsError as failure:
        # names that there are, set in columns below the complaint, grow with what there is
        words = [line for line in str(failure).splitlines() if not line.startswith("  ")]
        return "" if 0 < len("".join(words)) < 2000 else "an error of no or too many words"
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as failure:
        return "" if _has_path(call) else f"{type(failure).__name__}: {failure}"
    except ImportError as failure:  # told so: an optional package
        return "" if " needs " in str(failure) else f"ImportError: {failure}"
    except EndlessError:
        return f"does not end within {SECONDS} seconds"
    except Exception as failure:  # whatever else there is is somebody else's error
        return f"{type(failure).__name__} at {_place(failure)}: {failure}"
    if "nan" not in _documentation(call, found) and has_nan(found):
        return "returns NaN, of which the documentation does not speak"
    return ""


def _called(call, arguments):
    """Call with arguments by name, each given in the way that the signature asks for."""
    row, named = [], {}
    for entry in inspect.signature(call).parameters.values():
        if entry.name not in arguments:
            continue
        if entry.kind is entry.VAR_POSITIONAL:
            row += arguments[entry.name]
        elif entry.kind is entry.VAR_KEYWORD:
            named |= arguments[entry.name]
        elif entry.kind is entry.POSITIONAL_ONLY:
            row.append(arguments[entry.name])
        else:
            named[entry.name] = arguments[entry.name]
    return call(*row, **named)


def _place(failure):
    """Return the deepest line of the package that an error passed."""
    frames = traceback.extract_tb(failure.__traceback__)
    own = [entry for entry in frames if "scalinglaws" in Path(entry.filename).parts]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "the call"


def _has_path(call):
    return any(
        "Path" in str(entry.annotation) for entry in inspect.signature(call).parameters.values()
    )


def _documentation(call, found):
    return f"{call.__doc__} {type(found).__doc__}".lower()


def has_nan(value):
    """Tell whether there is NaN anywhere in a value."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(np.isnan(value).any())
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    if isinstance(value, Result):
        return any(has_nan(getattr(value, entry.name)) for entry in fields(value))
    if isinstance(value, (tuple, list)):
        return any(map(has_nan, value))
    return False


# -- many calls ---------------------------------------------------------------------------------------------------------


@st.composite
def arguments_of(draw, call):
    """Draw arguments that are right for a callable, and spoil up to two of them."""
    found = {
        entry.name: draw(st.sampled_from(sane(entry, call)))
        for entry in parameters(call)
        if is_given(entry) or draw(st.booleans())
    }
    for name in draw(st.lists(st.sampled_from([*found]), max_size=2)) if found else ():
        if name != "self":
            kind = SPECTRA if isinstance(found[name], Spectrum) else EXTREME
            kind = draw(st.sampled_from((kind, kind, WRONG)))
            found[name] = spoiled(call, name, draw(st.sampled_from(kind)))
    return found


@st.composite
def lines_of(draw, words, function):
    """Draw a line for a command: each argument that must be given, and some others, right or not."""
    line = [*words]
    for entry in inspect.signature(function).parameters.values():
        needed = entry.default is entry.empty and entry.kind is not entry.VAR_POSITIONAL
        if needed or RUN_NOTHING.get(words[0]) == entry.name or draw(st.booleans()):
            right = TYPED.get(entry.name, ())
            line += tokens(function, entry, draw(st.sampled_from((*TEXTS, *2 * right))))
    return line


def line_fault(line):
    """Run a line, and say what is wrong with what happened; nothing is an empty text."""
    codes, out, err = [], io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        complaint = fault(lambda: codes.append(run(line)), {})
    if complaint:
        return complaint
    if codes not in ([0], [1], [2]):
        return f"exits with {codes}"
    if "Traceback" in err.getvalue():
        return "shows a traceback"
    return "" if codes == [0] or err.getvalue() or out.getvalue() else "fails without a word"


def swept(name, strategy, attempt, times, seconds=math.inf):
    """Attempt what is drawn, so many times or for so many seconds; return how often, and the faults, each with its first case."""
    made, faults, start = 0, {}, time.process_time()

    @seed(zlib.crc32(name.encode()))
    @settings(
        max_examples=times,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def once(drawn):
        nonlocal made
        if time.process_time() - start > seconds:
            return
        made += 1
        if complaint := attempt(drawn):
            faults.setdefault(complaint, drawn)

    once()
    return made, faults


TIMES = {"solvers": 8, "theory": 4, "verify": 4, "verify.plots": 1}
"""Calls of each callable in a default run, by room; a picture takes as long as ten others."""


def times_of(path):
    """Return how often a callable is tried by default."""
    room = next((room for room in reversed(TIMES) if path.startswith(room)), "solvers")
    return TIMES[room]


def sweep_call(path, call, times, seconds=math.inf):
    """Call something with right, extreme and wrong arguments."""
    return swept(path, arguments_of(call), lambda drawn: fault(call, drawn), times, seconds)


def sweep_command(words, function, times=8, seconds=math.inf):
    """Run a command with right, extreme and wrong arguments."""
    return swept(" ".join(words), lines_of(words, function), line_fault, times, seconds)


@contextmanager
def sandbox():
    """Bound what one call may hold, and give it a folder and a cache of its own to write to."""
    before, here = dict(os.environ), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SCALINGLAWS_MEMORY": f"{BUDGET:.0f}", "XDG_CACHE_HOME": folder}
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ |= before


def figures(words, times=None, seconds=math.inf):
    """Sweep what has one of some words in its path, and print how often, for how long, and what went wrong."""
    wanted = [
        (
            path,
            lambda path=path, call=call: sweep_call(path, call, times or times_of(path), seconds),
        )
        for path, call in callables()
    ] + [
        (
            "command " + " ".join(name),
            lambda name=name, function=function: sweep_command(name, function, times or 8, seconds),
        )
        for name, function in ending_commands(app)
    ]
    wanted = [(path, go) for path, go in wanted if not words or any(word in path for word in words)]
    calls, things, taken, found = Counter(), Counter(), Counter(), []
    for path, go in wanted:
        room = path.partition(" " if path.startswith("command") else ".")[0]
        start = time.process_time()
        with sandbox():
            made, faults = go()
        taken[room] += time.process_time() - start
        calls[room] += made
        things[room] += 1
        found += [(path, complaint, drawn) for complaint, drawn in faults.items()]
        for complaint, drawn in faults.items():
            print(f"{path}: {complaint}\n    {str(drawn)[:500]}", flush=True)
    for room in sorted(calls):
        print(f"{room:16} {things[room]:4} tried {calls[room]:7} times in {taken[room]:6.0f} s")
    kinds = Counter(complaint.partition(" at ")[0].partition(":")[0] for _, complaint, _ in found)
    print(
        f"{sum(calls.values())} calls, {len(found)} faults",
        *(f"{n} {kind}" for kind, n in kinds.items()),
        sep="; ",
    )


if __name__ == "__main__":
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    words = [word for word in sys.argv[1:] if not word.isdigit()]
    figures(words, *(int(number) for number in numbers[:2]))
