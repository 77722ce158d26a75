"""The names under which classes stand in saved files: public ones, which stay when a module moves.

A class is named by where it is public, without the room of its theory: ``linear.RidgeSolution`` for
`scalinglaws.solvers.linear.RidgeSolution`, ``percolation.LatticeClusters`` for a simulation's, ``verify.Comparison`` and
``results.Diagnostics`` for what belongs to no theory. Version 0.1.0 wrote private modules instead; its paths are kept here.
"""

from __future__ import annotations

import re
import sys
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from .errors import DataError

_PACKAGE = __name__.partition(".")[0]
_ROOMS = ("solvers.", "verify.simulate.")  # in the order in which a theory's class is looked for
_NAME = re.compile(r"([a-z]\w*\.)+[A-Z]\w*")

PATHS_OF_0_1_0 = {
    f"scalinglaws.{path}": name
    for path, name in {
        "results:Diagnostics": "results.Diagnostics",
        "results:Status": "results.Status",
        "solvers.linear._statics:RidgeSolution": "linear.RidgeSolution",
        "solvers.linear._flow:GradientFlowSolution": "linear.GradientFlowSolution",
        "solvers.linear._descent:GradientDescentSolution": "linear.GradientDescentSolution",
        "solvers.linear._sgd:OnlineSGDSolution": "linear.OnlineSGDSolution",
        "solvers.linear._edge:SGDStability": "linear.SGDStability",
        "solvers.linear._frontier:LossSurface": "linear.LossSurface",
        "solvers.linear._frontier:ComputeFrontier": "linear.ComputeFrontier",
        "solvers.feature_learning._circle:CircleFlow": "feature_learning.CircleFlow",
        "solvers.feature_learning._flow:FeatureLearningFlow": "feature_learning.FeatureLearningFlow",
        "solvers.feature_learning._march:MarchMatrices": "feature_learning.MarchMatrices",
        "solvers.feature_learning._march:OnlineDMFTSolution": "feature_learning.OnlineDMFTSolution",
        "solvers.feature_learning._march:ReuseDMFTSolution": "feature_learning.ReuseDMFTSolution",
        "solvers.feature_learning._realization:RealizationFlow": "feature_learning.RealizationFlow",
        "solvers.patterns._alignment:SpecializedCost": "patterns.SpecializedCost",
        "solvers.patterns._alignment:GaussianCost": "patterns.GaussianCost",
        "solvers.patterns._alignment:AlignmentRate": "patterns.AlignmentRate",
        "solvers.patterns._alignment:Configuration": "patterns.Configuration",
        "solvers.patterns._alignment_sampler:AlignmentProbability": "patterns.AlignmentProbability",
        "solvers.patterns._cubes:CubeRate": "patterns.CubeRate",
        "solvers.patterns._tail:TailProbability": "patterns.TailProbability",
        "solvers.percolation._allocate:Allocation": "percolation.Allocation",
        "solvers.percolation._data:DataLoss": "percolation.DataLoss",
        "solvers.percolation._expansion:DataLossExpansion": "percolation.DataLossExpansion",
        "solvers.percolation._zipf:ZipfModelLoss": "percolation.ZipfModelLoss",
        "verify.comparison:Comparison": "verify.Comparison",
        "verify.comparison:Measurement": "verify.Measurement",
        "verify.comparison:Prediction": "verify.Prediction",
        "verify.comparison:Rival": "verify.Rival",
        "verify.shelf:Finished": "verify.finished.Finished",
        "verify.simulate.kernel_adaptation._records:PosteriorSample": "kernel_adaptation.PosteriorSample",
        "verify.simulate.percolation._bethe_dataset:BetheDataset": "percolation.BetheDataset",
        "verify.simulate.percolation._bethe_nearest:NearestSites": "percolation.NearestSites",
        "verify.simulate.percolation._bethe_learning:LearningCurves": "percolation.LearningCurves",
        "verify.simulate.percolation._bethe_learning:DistanceStatistics": "percolation.DistanceStatistics",
        "verify.simulate.percolation._bethe_experiments:RandomAllocations": "percolation.RandomAllocations",
        "verify.simulate.percolation._lattice_records:LabeledClusters": "percolation.LabeledClusters",
        "verify.simulate.percolation._lattice_records:LatticeClusters": "percolation.LatticeClusters",
        "verify.simulate.percolation._lattice_records:LatticeSamples": "percolation.LatticeSamples",
        "verify.simulate.percolation._lattice_records:OccupationSweep": "percolation.OccupationSweep",
        "verify.simulate.percolation._lattice_records:CanonicalAverages": "percolation.CanonicalAverages",
        "verify.simulate.percolation._lattice_records:LatticeEstimate": "percolation.LatticeEstimate",
    }.items()
}
"""What version 0.1.0 wrote, and the names of today. Whoever moves a public class to another name adds a line here."""


def saved_name(kind: type) -> str:
    """Return the name under which a class is saved.

    Parameters
    ----------
    kind : type
        A dataclass or an Enum.

    Returns
    -------
    str
        Where it is public; ``module:name`` for a class that is not, or not of this package, which no file may hold.

    Examples
    --------
    >>> from scalinglaws.solvers import linear
    >>> saved_name(linear.RidgeSolution)
    'linear.RidgeSolution'
    """
    modules = kind.__module__.split(".")
    for depth in range(2, len(modules) + 1) if modules[0] == _PACKAGE else ():
        path = ".".join(modules[1:depth])
        module = sys.modules[f"{_PACKAGE}.{path}"]
        listed = kind.__name__ in getattr(module, "__all__", ())
        own = depth == len(modules) and "._" not in f".{path}"
        if (listed or own) and getattr(module, kind.__name__, None) is kind:
            name = f"{path}.{kind.__name__}"
            for room in _ROOMS:
                if name.startswith(room) and "." in name.removeprefix(room):
                    return name.removeprefix(room)
            return name
    return f"{kind.__module__}:{kind.__qualname__}"


def saved_class(name: str) -> Any:
    """Return the class that a name in a saved file stands for.

    Parameters
    ----------
    name : str
        What `saved_name` returned, or a path that version 0.1.0 wrote.

    Returns
    -------
    type
        A dataclass or an Enum.

    Raises
    ------
    DataError
        If this version has no such class: a file never reaches anything but this package's public classes.

    Examples
    --------
    >>> saved_class("results.Diagnostics").__name__
    'Diagnostics'
    """
    current = PATHS_OF_0_1_0.get(name, name)
    if ":" in current and current.split(".")[0] != _PACKAGE:
        raise DataError(
            f"refusing to load {name!r}: saved results hold only this package's classes"
        )
    path, _, last = current.rpartition(".")
    for room in (*_ROOMS, "") if _NAME.fullmatch(current) else ():
        target = f"{_PACKAGE}.{room}{path}"
        try:
            module = import_module(target)
        except ModuleNotFoundError as failure:
            if not (failure.name and f"{target}.".startswith(f"{failure.name}.")):
                raise  # the module is there, and needs one that is not
            continue
        kind: Any = getattr(module, last, None)
        plain = isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum))
        if plain and saved_name(kind) == current:
            return kind
    raise DataError(f"this version has no class {name!r}")
