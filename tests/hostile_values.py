"""Values that people, and what they call things with, may hand to a callable or a command: right, extreme and wrong ones."""

import math
from fractions import Fraction

import numpy as np
import sympy as sp

from scalinglaws import solvers

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
    "kind": ("site", "bond", "GP"),
    "largest": (100, 10000),
    "law": ("hard", "tree", "linear.data"),
    "learning_rate": (0.1, 0.3),
    "length": (4, 10),
    "loss": (0.1, 0.5),
    "losses": ([[1.0, 0.5, 0.25], [1.1, 0.5, 0.26], [0.9, 0.55, 0.25], [1.0, 0.6, 0.3]],),
    "method": ("importance", "lattice", "closed"),
    "modes": ("merged", "all"),
    "n": (10, 100),
    "name": ("linear.data", "linear.ridge", "mine.own"),
    "names": ("manifold.variance-limited", "linear.nothing"),
    "neurons": (3, 5),
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
    "weights": ([3.0, 2.0, 1.0],),
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
    **dict.fromkeys(("Item", "Output"), (1.0, 2.0)),
    "Figure": (None,),
    "MapLike": (map,),
    "Spectrum": (
        solvers.PowerLawSpectrum(1.5, 1.0),
        solvers.PowerLawSpectrum(2.0, 0.5, 50),
        solvers.EmpiricalSpectrum([0.5, 0.3, 0.1], [0.2, 0.5, 0.3]),
    ),
}
"""Values by the names in annotations; names of public classes need no entry, whatever returns one makes it."""

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
    *("--help", "--list", "--notation", "bordelon", "--json"),
)
"""What people and their scripts may type; some of it is right for some arguments."""
RUN_NOTHING = {"verify": "names"}
"""Commands that do all that there is unless one argument is given."""
