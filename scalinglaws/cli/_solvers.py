"""The solvers that the command line can call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any


def _compute_phase(spectrum: Any, options: dict[str, Any]) -> str:
    """Say what the theory derives for this task."""
    from .. import theory

    if options.get("dynamics", "sgd") != "sgd":
        return "the phases of linear.compute are those of dynamics=sgd"
    law, size = theory.law("linear.compute"), theory.law("linear.compute_model")
    values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    return f"phase {law.regime(**values)}: loss C^-{float(law(**values)):.4g}, features C^{float(size(**values)):.4g} (linear.compute)"


def _rich_phase(spectrum: Any, options: dict[str, Any]) -> str:
    """Say what the theory derives for this task when features learn."""
    from .. import theory

    loss, size = (
        theory.law("feature_learning.compute"),
        theory.law("feature_learning.compute_model"),
    )
    values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
    exponents = f"loss C^-{float(loss(**values)):.4g}, features C^{float(size(**values)):.4g}"
    return (
        f"{loss.regime(**values)}: {exponents} for a positive richness (feature_learning.compute)"
    )


def _cluster_regime(law: str, variable: str) -> Callable[[Any, dict[str, Any]], str]:
    """Return a note that says what the theory derives for these clusters."""

    def note(spectrum: Any, given: dict[str, Any]) -> str:
        from .. import theory

        excess, exponent = (given.get(key, 0.0) for key in ("alpha", "exponent"))
        if not (excess > 0 and 0 < exponent < float("inf")):
            return ""
        found = theory.law(law)
        values = {"alpha": excess, "beta": exponent}
        regime, power = found.regime(**values), found.log_power(**values)
        name = "boundary of both limits" if regime == "boundary" else regime
        logarithm = (
            ""
            if not power
            else f" log {variable}"
            if power == 1
            else f" (log {variable})^{float(power):.4g}"
        )
        return f"{name}: loss {variable}^-{float(found(**values)):.4g}{logarithm} ({law})"

    return note


def _by_rank(result: Any, arguments: dict[str, Any]) -> Any:
    """Return shares in the order of weights, the largest first."""
    import numpy as np

    weights = np.asarray(arguments["weights"], dtype=float)
    order = np.argsort(-weights, kind="stable")
    return SimpleNamespace(
        rank=np.arange(1, weights.size + 1),
        weight=weights[order],
        allocation=result.allocation[order],
    )


@dataclass(frozen=True)
class SolverEntry:
    """A solver that the command line can call.

    Arguments are ``name=value``, by the names of the function. If one of them is a spectrum, alpha, beta, a, b and size describe it;
    a solver without a spectrum may have arguments of these names.

    Attributes
    ----------
    path : str
        ``"module:function"``.
    columns : tuple of str
        Fields of the result that a table shows; the name of the result if it is a plain array.
    leading : tuple of str
        Positional arguments, those before the spectrum if there is one; their ranges make the rows. Of several numbers the solver
        itself makes a grid.
    single : tuple of str
        Keywords that the solver takes one at a time: ranges of them are gone through one by one.
    along : str, optional
        The argument that the result spreads over rows: the solver takes it once, as one number, or whole if it is in `whole`, and
        its result has an array of this name, as long as the columns. All other arguments are gone through one by one.
    whole : tuple of str
        Arguments of which a list is one value.
    counted : tuple of str
        Arguments that are whole numbers: the points of a logarithmic range are rounded.
    zipf : str, optional
        The argument that holds weights of clusters: alpha= and size= may describe them instead, k^-(1 + alpha) for k up to size.
    view : callable, optional
        From result and arguments to an object that has the columns, where the result itself has not.
    totals : tuple of str
        Fields of the result that are shown once for each run, below the table.
    note : callable, optional
        From spectrum and options, among them all arguments with one value, to a remark below the table; empty if there is none.
    """

    path: str
    columns: tuple[str, ...]
    leading: tuple[str, ...] = ()
    single: tuple[str, ...] = ()
    along: str | None = None
    whole: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    zipf: str | None = None
    view: Callable[[Any, dict[str, Any]], Any] | None = None
    totals: tuple[str, ...] = ()
    note: Callable[[Any, dict[str, Any]], str] | None = None


_LINEAR = "scalinglaws.solvers.linear"
_TRAINING = ("batch", "learning_rate", "relative_rate", "noise_variance", "modes_per_feature")

SOLVERS: dict[str, SolverEntry] = {
    "linear.ridge": SolverEntry(f"{_LINEAR}:ridge", ("test_loss", "train_loss", "kappa", "bias")),
    "linear.gradient_flow": SolverEntry(
        f"{_LINEAR}:gradient_flow", ("test_loss", "train_loss"), ("t",)
    ),
    "linear.gradient_descent": SolverEntry(
        f"{_LINEAR}:gradient_descent", ("test_loss", "train_loss"), ("steps",)
    ),
    "linear.online_sgd": SolverEntry(f"{_LINEAR}:online_sgd", ("test_loss",), ("steps",)),
    "linear.sgd_stability": SolverEntry(
        f"{_LINEAR}:sgd_stability",
        ("stable", "kernel_norm", "largest_eigenvalue", "max_learning_rate"),
    ),
    "linear.compute_frontier": SolverEntry(
        f"{_LINEAR}:compute_frontier",
        ("features", "time", "loss", "loss_exponent", "features_exponent"),
        ("compute",),
        ("dynamics", *_TRAINING),
        note=_compute_phase,
    ),
    "linear.loss_surface": SolverEntry(
        f"{_LINEAR}:loss_surface", ("loss",), ("features", "time"), ("dynamics", *_TRAINING)
    ),
    "linear.time_for_loss": SolverEntry(
        f"{_LINEAR}:time_for_loss", ("time",), ("loss",), ("features", "samples", "noise_variance")
    ),
    "linear.features_for_loss": SolverEntry(
        f"{_LINEAR}:features_for_loss",
        ("features",),
        ("loss",),
        ("samples", "t", "ridge", "noise_variance"),
    ),
    "linear.samples_for_loss": SolverEntry(
        f"{_LINEAR}:samples_for_loss",
        ("samples",),
        ("loss",),
        ("features", "t", "ridge", "noise_variance"),
    ),
    "linear.effective_ridge": SolverEntry(f"{_LINEAR}:effective_ridge", ("kappa",)),
    "linear.degrees_of_freedom": SolverEntry(
        f"{_LINEAR}:degrees_of_freedom", ("df1", "df2"), ("kappa",)
    ),
    "linear.learnability": SolverEntry(f"{_LINEAR}:learnability", ("learnability",), ("k",)),
}

_RICH = "scalinglaws.solvers.feature_learning"

SOLVERS |= {
    "feature_learning.gradient_flow": SolverEntry(
        f"{_RICH}:gradient_flow", ("test_loss", "train_loss", "scale"), ("t",)
    ),
    "feature_learning.static_limit": SolverEntry(
        f"{_RICH}:static_limit", ("test_loss", "train_loss")
    ),
    "feature_learning.crossover_time": SolverEntry(f"{_RICH}:crossover_time", ("time",)),
    "feature_learning.compute_frontier": SolverEntry(
        f"{_RICH}:compute_frontier",
        ("features", "time", "loss", "loss_exponent", "features_exponent"),
        ("compute",),
        ("richness",),
        note=_rich_phase,
    ),
    "feature_learning.linear_network": SolverEntry(
        f"{_RICH}:linear_network", ("test_loss", "scale"), ("t",)
    ),
    "feature_learning.online_dmft": SolverEntry(
        f"{_RICH}:online_dmft", ("test_loss", "scale"), ("steps",), along="steps"
    ),
    "feature_learning.reuse_dmft": SolverEntry(
        f"{_RICH}:reuse_dmft", ("test_loss", "train_loss", "scale"), ("steps",), along="steps"
    ),
    "feature_learning.circle_flow": SolverEntry(
        f"{_RICH}:circle_flow", ("train_loss",), ("t",), ("harmonics", "grid")
    ),
}

_CLUSTERS = "scalinglaws.solvers.percolation"

SOLVERS |= {
    "percolation.allocate": SolverEntry(
        f"{_CLUSTERS}:allocate",
        ("weight", "allocation"),
        ("weights", "n"),
        along="rank",
        whole=("weights", "exponents", "scales"),
        zipf="weights",
        view=_by_rank,
        totals=("loss", "bound", "included"),
    ),
    "percolation.zipf_model_loss": SolverEntry(
        f"{_CLUSTERS}:zipf_model_loss",
        ("loss", "break_rank"),
        ("n",),
        ("alpha", "exponent"),
        note=_cluster_regime("percolation.model", "n"),
    ),
    "percolation.data_loss": SolverEntry(
        f"{_CLUSTERS}:data_loss",
        ("loss",),
        ("samples",),
        ("alpha", "exponent", "scales"),
        whole=("weights",),
        counted=("samples",),
        note=_cluster_regime("percolation.data", "P"),
    ),
    "percolation.data_loss_expansion": SolverEntry(
        f"{_CLUSTERS}:data_loss_expansion",
        ("loss",),
        ("samples",),
        ("terms",),
        counted=("samples", "terms"),
        note=_cluster_regime("percolation.data", "P"),
    ),
    "percolation.crossover_model_loss": SolverEntry(
        f"{_CLUSTERS}:crossover_model_loss", ("loss",), ("n",)
    ),
    "percolation.crossover_data_loss": SolverEntry(
        f"{_CLUSTERS}:crossover_data_loss", ("loss",), ("samples",), counted=("samples",)
    ),
    "percolation.infinite_component_loss": SolverEntry(
        f"{_CLUSTERS}:infinite_component_loss", ("loss",), ("n",)
    ),
    "percolation.cluster_learning_curve": SolverEntry(
        f"{_CLUSTERS}:cluster_learning_curve", ("loss",), ("u",)
    ),
    "percolation.cluster_size_probability": SolverEntry(
        f"{_CLUSTERS}:cluster_size_probability",
        ("probability",),
        ("size",),
        counted=("size", "coordination"),
    ),
    "percolation.infinite_cluster": SolverEntry(
        f"{_CLUSTERS}:infinite_cluster", ("probability",), counted=("coordination",)
    ),
    "percolation.nearest_distance": SolverEntry(
        f"{_CLUSTERS}:nearest_distance",
        ("probability",),
        ("distance",),
        counted=("distance", "coordination"),
    ),
    "percolation.mean_nearest_distance": SolverEntry(
        f"{_CLUSTERS}:mean_nearest_distance", ("expected",), ("density",), counted=("coordination",)
    ),
}

_PATTERNS = "scalinglaws.solvers.patterns"

SOLVERS |= {
    "patterns.log_tail": SolverEntry(
        f"{_PATTERNS}:log_tail", ("log_probability", "standard_error"), single=("samples",)
    ),
    "patterns.cube_rate": SolverEntry(f"{_PATTERNS}:cube_rate", ("rate", "jump", "metastable")),
    "patterns.specialized_cost": SolverEntry(
        f"{_PATTERNS}:specialized_cost", ("cost", "neurons", "squared_weight", "relaxed")
    ),
    "patterns.gaussian_cost": SolverEntry(f"{_PATTERNS}:gaussian_cost", ("cost", "inflation")),
    "patterns.alignment_rate": SolverEntry(
        f"{_PATTERNS}:alignment_rate", ("rate", "tilt", "variance", "specialized")
    ),
    "patterns.log_alignment": SolverEntry(
        f"{_PATTERNS}:log_alignment",
        ("log_probability", "standard_error", "specialized"),
        single=("n", "d", "samples"),
    ),
    "patterns.attention_overlap": SolverEntry(f"{_PATTERNS}:attention_overlap", ("overlap",)),
}
