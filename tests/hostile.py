"""Every public callable and command, and hostile values for its parameters, found from signatures.

Nothing lists callables by hand: what a package names in its `__all__` is tried, with values of the kinds that its annotations
name. A parameter of a kind that is not known here is an error that says so; `LEAVES` is the place to add it, `NAMED` the place
for values that a parameter of some name takes without complaint.
"""

import ast
import inspect
import math
import pkgutil
import random
import re
import resource
import signal
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import sympy as sp

import scalinglaws
from scalinglaws import errors, solvers, theory, verify
from scalinglaws.results import Result
from scalinglaws.verify.registry import theories
from scalinglaws.verify.simulate import feature_learning as simulated

OPEN = ("notation", "sweep", "solvers.kernels", "solvers.spectra")
"""Modules for everybody that list nothing: all that they define is public."""
ROOMS = ("theory", "solvers", "verify.simulate", "verify.plots")

BUDGET = 2e8
"""Bytes that one call may hold while it is tried (the package's own budget), and twenty times that before the machine refuses."""
SECONDS = 10
"""Seconds of the processor after which a call counts as endless."""

SPECTRA = (
    solvers.PowerLawSpectrum(1e-3, 1e-3, 3),
    solvers.PowerLawSpectrum(300.0, 1.0),
    solvers.PowerLawSpectrum(1.0000001, 1e-5),
    solvers.PowerLawSpectrum(1.5, 0.5, 1e12),
    solvers.EmpiricalSpectrum([1e-280], [1e20]),
    solvers.EmpiricalSpectrum([1e150, 1e-150], [0.0, 1e-300]),
    solvers.EmpiricalSpectrum([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
)
"""Spectra at the ends of what there is."""

MASKED = np.ma.masked_array([1.0, 2.0], [False, True])
EXTREME = (
    *(
        0.0,
        -0.0,
        5e-324,
        1e-300,
        1e-160,
        1e-20,
        0.3,
        1.0,
        1.0000000000000002,
        3.0,
        1e20,
        1e160,
        1e300,
    ),
    *(1.7e308, math.inf, -math.inf, math.nan, -1.0, -1e300),
    *(
        0,
        1,
        2,
        3,
        7,
        1000,
        -1,
        2**31,
        2**53,
        2**63,
        10**30,
        10**400,
        Fraction(1, 3),
        np.float32(0.5),
    ),
    *([1e-300, 1.0, 1e300], [5e-324], [0.0, math.inf], [[1.0, 2.0], [3.0, 4.0]], [1.0, math.nan]),
    *(np.zeros((2, 3)), np.ones((3, 1)), np.array(2.0), np.arange(4), np.full(3, 1.7e308)),
)
"""Numbers at the ends of what there is, and arrays of them."""
WRONG = (
    *(
        None,
        "",
        "3",
        "no",
        "inf",
        b"3",
        1j,
        complex(1, 0),
        True,
        Ellipsis,
        int,
        len,
        object(),
        math,
    ),
    *(
        np.datetime64("2020-01-01"),
        np.timedelta64(3, "s"),
        MASKED,
        np.ma.masked,
        np.array([1.0 + 0j]),
    ),
    *(np.array(["2020-01-01"], dtype="datetime64[D]"), np.array([3], dtype="timedelta64[s]")),
    *(
        np.array(["1", "2"]),
        np.array(["1", 2.0], dtype=object),
        np.array([None, 1.0], dtype=object),
    ),
    *(np.array([b"1"]), np.array([1j], dtype=object), [], np.empty((0, 3)), np.array("hard")),
    *(
        np.array(["hard"]),
        {},
        {"a": 1.0},
        (),
        {1, 2},
        [[1.0, 2.0], [3.0]],
        ["1"],
        [None],
        [[]],
        slice(3),
    ),
    *(
        range(3),
        *SPECTRA[:2],
        sp.Symbol("x"),
        sp.I,
        sp.nan,
        sp.zoo,
        "a" * 1000,
        "\x00",
        "1e400",
        "hard; drop",
    ),
)
"""What is no number, no name and no spectrum; some of it is right for some parameters."""

_SYMBOL = sp.Symbol("alpha", positive=True)
NAMED = {
    "activation": (None, "erf", "odd", "relu"),
    "alpha": (1.5, 2.0, 1.2),
    "batch": (1, 4, 16),
    "beta": (0.5, 1.0, 2.0),
    "bias": (1.0, 0.5),
    "chains": (1, 2),
    "clusters": (3, 5),
    "convolution": ("operator", "zero", "reshape"),
    "coordination": (3, 12),
    "crossover_rank": (10.0, 1000.0),
    "d": (20.0, 1000.0),
    "degree": (1, 3),
    "depth": (1, 2),
    "dimension": (2, 3),
    "draws": (1, 2),
    "effort": ("quick",),
    "ensemble": ("site_rooted", "ranked"),
    "estimator": ("consistent",),
    "exponent": (0.5, 1.0),
    "exponents": (0.5, 1.0),
    "features": (math.inf, 10, 40),
    "form": ("power", "offset"),
    "grid": (64,),
    "harmonics": (8, 16),
    "into": ("outputs", "inputs"),
    "kind": ("site", "bond"),
    "largest": (100, 10000),
    "law": ("hard", "tree", "linear.data"),
    "learning_rate": (0.1, 0.3),
    "length": (4, 10),
    "loss": (0.1, 0.5, "logistic", "exponential"),
    "losses": ([[1.0, 0.5, 0.25], [1.1, 0.5, 0.26], [0.9, 0.55, 0.25], [1.0, 0.6, 0.3]],),
    "method": ("importance", "lattice", "closed"),
    "modes": ("merged", "all"),
    "n": (10, 100),
    "name": ("linear.data", "linear.ridge", "mine.own"),
    "names": ("manifold.variance-limited", "linear.nothing"),
    "neurons": (3, 5),
    "norm": (1.0, 0.3, "complexity", "l1"),
    "notation": ("capacity", "bordelon"),
    "occupation": (0.05, 0.3),
    "occupied": ([[True, False], [True, True]],),
    "on_failure": ("raise", "return"),
    "periodic": (True, False),
    "power": (1, 2),
    "q": (1, 2),
    "richness": (0.1, 1.0),
    "rng": (0, 7),
    "roots": (10,),
    "samples": (10, 30),
    "shape": ((3, 4),),
    "size": (8, 100),
    "smallest": (1, 10),
    "solver": ("linear.ridge", "percolation.data_loss"),
    "starts": (2,),
    "steps": (1, 5),
    "t": (1.0, [0.5, 2.0]),
    "test_samples": (10,),
    "text": ("samples", "bordelon"),
    "tolerance": (0.1,),
    "training_counts": ([1, 2, 5],),
    "weights": ([3.0, 2.0, 1.0], [[1.0, 2.0], [3.0, 4.0]]),
    "window": ((1.0, 10.0),),
    "workers": (1,),
    "warmup": (2, 5),
    "x": ([1.0, 2.0, 4.0],),
}
"""Values that parameters take without complaint, by name: numbers and words that stand for anything else are no names."""

NEVER_LEFT_OUT = ("chains", "draws", "names", "replicates", "samples", "test_samples", "warmup")
"""Parameters whose defaults are for real work, or for all that there is: seconds to hours."""

_NUMBERS = (1.0, 2.0, 0.5, [1.0, 2.0, 3.0])
_ROWS = ([1.0, 2.0, 4.0], [3.0, 2.0, 1.0], [0.5])
_EXPRESSIONS = (_SYMBOL, sp.Rational(3, 2), 2, sp.Symbol("beta", positive=True) + 1)
LEAVES = {
    **dict.fromkeys(("float", "Value"), _NUMBERS[:3]),
    **dict.fromkeys(("ArrayLike", "Array", "Counts", "np.ndarray", "NDArray"), (*_NUMBERS, *_ROWS)),
    "int": (1, 2, 3),
    "str": ("linear.data", "hard", "merged", "sum", ""),
    "bool": (True, False),
    **dict.fromkeys(("Any", "object"), (*_EXPRESSIONS, 0.5, "hard")),
    **dict.fromkeys(("sp.Expr", "sp.Basic", "sp.Rational"), _EXPRESSIONS),
    "sp.Symbol": (_SYMBOL,),
    "np.random.Generator": (0, 1),
    "Callable": (lambda *given: 1.0, lambda *given: np.ones(3)),
    "Path": ("kept.npz", "kept"),
    "None": (None,),
    "Fraction": (Fraction(3, 2),),
    "Item": (1.0, 2.0),
    "Figure": (None,),
    "MapLike": (map,),
    "Spectrum": (
        solvers.PowerLawSpectrum(1.5, 1.0),
        solvers.PowerLawSpectrum(2.0, 0.5, 50),
        solvers.EmpiricalSpectrum([0.5, 0.3, 0.1], [0.2, 0.5, 0.3]),
    ),
}
"""Values by the names in annotations; names of public classes need no entry, whatever returns one makes it."""


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


def callables():
    """Yield path and callable: functions, constructors that check, and methods of both kinds of classes."""
    for path, thing in public().items():
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


_made = {}
_making = set()
MAKERS = {
    "CostLimited": lambda: theory.linear.ComputeLimited().cases[0].model,
    "Comparison": lambda: verify.Comparison(
        "a.test", MAKERS["Prediction"](), verify.Measurement(1.0, 0.1, None, 3, "", (1, 2)), 0.1
    ),
    "Prediction": lambda: verify.Prediction("g", "exponent", 1.0, "a test"),
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

TEXTS = (
    *(
        "",
        "nonsense",
        "linear.data",
        "linear.ridge",
        "manifold.variance-limited",
        "1",
        "1/2",
        "-1",
        "0",
    ),
    *(
        "1e400",
        "nan",
        "inf",
        "1:10",
        "1,2,3",
        "1e3:1e9:4",
        "x=",
        "=1",
        "samples=10",
        "samples=nan",
        "n=1",
    ),
    *(
        "alpha=3/2",
        "alpha=1e999",
        "beta=0.5",
        "x**-a + y**-1",
        "x*y=c",
        "[" * 50,
        "\x00",
        "é",
        "a" * 300,
    ),
    *("--", "-1", "none.json", "."),
)
"""What people and their scripts may type; some of it is right for some arguments."""
RUN_NOTHING = {"verify": "names"}
"""Commands that do all that there is unless one argument is given."""


def commands(app, path=()):
    """Yield the words of every command, and its function."""
    for name in app:
        if not name.startswith("-"):
            inner = app[name]
            if inner.default_command is not None:
                yield (*path, name), inner.default_command
            yield from commands(inner, (*path, name))


def tokens(entry, value):
    """Return how an argument of a command is typed: by place, or by name."""
    if entry.kind in (entry.POSITIONAL_ONLY, entry.VAR_POSITIONAL):
        return [value]
    option = "--" + entry.name.replace("_", "-")
    return [option] if isinstance(entry.default, bool) else [option, value]


# -- what may happen ----------------------------------------------------------------------------------------------------


class EndlessError(BaseException):
    """A call that did not end: no `Exception`, so that nothing catches it on its way."""


@contextmanager
def bounded():
    """Bound the processor time and the memory of what is done inside."""

    def stop(*_):
        raise EndlessError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (held + int(20 * BUDGET), hard))
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
        return (
            "" if str(failure) and len(str(failure)) < 2000 else "an error of no or too many words"
        )
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
