"""Fits of one law to the runs of several recipes, with parameters that they share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import generator, number, several, text, whole
from ....errors import DataError, known_name, refusal, unknown_name
from ....notebook import words_html
from ....reprs import LONGEST, line
from ....results import Result
from .._coded_warnings import CodedWarning, listed
from .._read_runs import read_runs
from .._run_tables import read_table
from .._runs import Runs
from ._between_groups import BetweenGroups, random_effects
from ._fit import fit
from ._grouped import Grouped, resample_groups, solve_groups
from ._law import FitLaw
from ._laws import fit_law
from ._multiplier import ComputeMultiplier, compute_multiplier
from ._recipe_report import parameter_lines
from ._record import Bounds, Fit
from ._sharing import SharingTest, sharing_test

Array = NDArray[np.float64]

_FIRST = 100  # steps of the first fit, in those of a resample
_MOST_WORK = 1e12  # cubes of numbers of parameters: about half an hour
_OF_DATA = ("W-few-runs", "W-losses-alike", "W-one-sided", "W-short-range", "W-trend")
"""Warnings of a group alone that hold for a fit with others too."""


@dataclass(frozen=True)
class GroupFits(Result):
    """A law fitted to several groups of runs at once.

    Attributes
    ----------
    law : str
        The law.
    group : str
        The column that names the groups.
    shared : tuple of str
        Parameters that are the same in all groups.
    fits : dict of str to Fit
        Of each group, in the order of the runs. Rows of `Fit.samples` belong together across groups: each is one resampling of all.
        What is fitted again from one of them, as by `Fit.bootstrap`, is fitted without the others.
    alone : dict of str to Fit
        Of each group without the others; the same where nothing is shared.
    objective : float
        Sum of Huber losses, over all groups.
    sigma : float
        Standard deviation of the residuals, of all groups together.
    free : int
        Number of parameters that were fitted.
    delta : float
        Huber's threshold; inf for least squares.
    success : bool
        Whether the fit settled.
    warnings : tuple of CodedWarning
        What is doubtful.
    """

    law: str
    group: str
    shared: tuple[str, ...]
    fits: dict[str, Any]
    alone: dict[str, Any]
    objective: float
    sigma: float
    free: int
    delta: float
    success: bool
    warnings: tuple[CodedWarning, ...] = ()

    def __len__(self) -> int:
        return len(self.fits)

    def __repr__(self) -> str:
        named = ", ".join(f"{name} ({len(found)})" for name, found in list(self.fits.items())[:4])
        words = f"GroupFits {self.law} by {self.group}: {named}; shared: {', '.join(self.shared) or 'nothing'}"
        return f"<{line(words, LONGEST - 2)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """The groups."""
        return tuple(self.fits)

    def test(
        self,
        names: Iterable[str] | None = None,
        *,
        level: float = 0.05,
        difference: float = 0.02,
    ) -> SharingTest:
        """Test whether groups may share parameters, by the joint F test.

        Parameters
        ----------
        names : iterable of str, optional
            Parameters to test against values of their own in each group, all together; what else is shared stays so. By default
            all that are shared, or the exponents if nothing is.
        level : float
            Of the test.
        difference : float
            A difference that would matter, against which power is computed: 0.02 of an exponent, 2 % of another parameter.

        Returns
        -------
        SharingTest
            That it does not reject is no proof of equality: `SharingTest.detectable` says which differences it would have found.

        Notes
        -----
        Always by least squares. On 2 recipes of 24 runs with noise of 0.3 % the test of both exponents rejects 6 % of equal ones at 5 %,
        and finds 20 and 70 % of differences of 0.02 and 0.04 in b. Cochran's Q on separate fits rejects 7 to 9 %, and is not offered.
        """
        default = self.shared or exponents(self._law)
        chosen = default if names is None else several("names", names, str)
        alone = np.array([found.x for found in self.alone.values()])
        given = [name for name in self.shared if name not in chosen]
        return sharing_test(
            _grouped(self.alone, self.delta),
            alone,
            chosen,
            given,
            level=level,
            difference=difference,
        )

    def compute_multiplier(
        self, reference: str, candidate: str, compute: ArrayLike, *, level: float = 0.95
    ) -> ComputeMultiplier:
        """Return the compute with which a recipe reaches the best loss of another, over the other's; see `compute_multiplier`.

        Parameters
        ----------
        reference, candidate : str
            Groups.
        compute : array_like, shape (m,)
            C of the reference, > 0.
        level : float
            Of the intervals.

        Returns
        -------
        ComputeMultiplier
            With percentiles of the resampled fits.
        """
        return compute_multiplier(
            self.fit_of(reference),
            self.fit_of(candidate),
            compute,
            level=level,
            names=(reference, candidate),
        )

    def between(self, name: str, level: float = 0.95) -> BetweenGroups:
        """Say how much a parameter differs between groups beyond errors, each group fitted alone; see `random_effects`.

        Parameters
        ----------
        name : str
            A parameter that is fitted.
        level : float
            Of the interval of the mean.

        Returns
        -------
        BetweenGroups
            Of the logarithm of amplitudes and offsets.
        """
        law = self._law
        j = law.names.index(known_name("parameter", name, law.names))
        if not law.free[j]:
            raise refusal("name", name, "is fixed")
        values = np.array([found.x[j] for found in self.alone.values()])
        errors = np.sqrt([found.cov[j, j] for found in self.alone.values()])
        mean, low, high, sd = random_effects(values, errors, level)
        return BetweenGroups(
            name, self.names, values, errors, law.logs[j], sd, mean, low, high, level
        )

    @property
    def formula(self) -> str:
        """The law as people write it."""
        return self._law.formula

    def _repr_html_(self) -> str:
        return words_html(self.summary())

    def summary(self) -> str:
        """Describe the fits in a table.

        Returns
        -------
        str
            A line for each group, at most 100 columns.
        """
        return "\n".join(parameter_lines(self.fits, self.formula, self.shared, self.names))

    def fit_of(self, name: str) -> Fit:
        """Return the fit of a group; the message for one that is not there names those that are."""
        if name not in self.names:
            raise refusal(self.group, name, f"is not there; there are {listed(list(self.names))}")
        found: Fit = self.fits[name]
        return found

    @property
    def _law(self) -> FitLaw:
        law: FitLaw = next(iter(self.fits.values())).model
        return law


def fit_groups(
    law: str | Any,
    runs: Runs | Mapping[str, Any] | Any,
    group: str | None = None,
    shared: Iterable[str] | None = None,
    *,
    delta: float = np.inf,
    bounds: Bounds | None = None,
    fixed: Mapping[str, float] | None = None,
    bootstrap: int = 2000,
    rng: int | np.random.Generator = 0,
) -> GroupFits:
    r"""Fit a law to the runs of several recipes or data sets, with some parameters shared.

    Each of the law's parameters is either one number for all groups or one for each; all are fitted together, by least squares in
    :math:`\ln L` or with Huber's loss.

    Parameters
    ----------
    law : str, Law or FitLaw
        As `fit` takes it.
    runs : Runs, data frame or mapping
        What `read_runs` returns or reads.
    group : str, optional
        The column with the group of each run; by default the one with which runs were read.
    shared : iterable of str, optional
        Parameters that are the same in all groups: ``("a", "b")``, or ``()`` for none. By default the exponents of the law.
    delta : float
        Huber's threshold in ln L; by default inf, least squares, which `GroupFits.test` always uses.
    bounds : dict of str to (float, float), optional
        Least and largest value of parameters, the same for all groups.
    fixed : dict of str to float, optional
        Parameters that are not fitted, in any group.
    bootstrap : int
        Number of resamples, each of the runs of every group; 0 for none, and then multipliers have no intervals.
    rng : Generator or int
        Source of randomness, or a seed.

    Returns
    -------
    GroupFits
        With a fit of each group, tests of what is shared, and compute multipliers.

    Raises
    ------
    DataError
        If there is no such column, or only one group, or a group has fewer runs than parameters + 2.
    DomainError
        If an argument is not allowed.

    Notes
    -----
    Newton steps with the exact Hessian, from the mean of the separate fits and from the fit to all runs as if they were one group.
    2000 resamples of 48 runs take about 0.2 s on two threads. A step costs the cube of the number of all parameters: 2000 resamples of
    300 groups are refused.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> runs = empirical.example_runs("gadre")
    >>> found = fit_groups("surface", runs, shared=("a", "b"), bootstrap=0)
    >>> found.names, found.shared, len(found.fits["rpj"])
    (('c4_original', 'rpj', 'rw_original'), ('a', 'b'), 35)
    >>> found.fits["rpj"].parameters["a"] == found.fits["c4_original"].parameters["a"]
    True
    """
    count = whole("bootstrap", bootstrap, low=0)
    source = generator(rng)
    chosen = fit_law(law, bounds).constrained(bounds, fixed)
    threshold = number("delta", delta, low=0, strict=True, infinite=True)
    together = exponents(chosen) if shared is None else several("shared", shared, str)
    for name in together:
        if name not in chosen.names:
            raise unknown_name("parameter", name, chosen.names)
    held = tuple(name for name in chosen.names if name in together)
    table, column = _with_groups(runs, group)
    doubts = tuple(one for one in table.warnings if one.code != "W-groups")  # they are told apart
    table = replace(table, warnings=doubts)
    groups = dict.fromkeys(table.group.tolist() if table.group is not None else ())
    coordinates = len(held) + len(groups) * (len(chosen.names) - len(held))
    if (count + _FIRST) * float(coordinates) ** 3 > _MOST_WORK:
        raise refusal(
            "bootstrap",
            count,
            f"{len(groups)} groups have {coordinates} parameters, which {count} resamples would fit for half an hour or more: use fewer "
            "groups or resamples, or bootstrap=0",
            named=False,
        )
    alone: dict[str, Fit] = {}
    for name in groups:
        own = table.take(table.group == name)
        try:
            alone[name] = fit(law, own, delta=threshold, bounds=bounds, fixed=fixed, bootstrap=0)
        except DataError as failure:
            raise DataError(f"{column} {name!r}: {failure}") from failure
    data = _grouped(alone, threshold)
    x = np.array([found.x for found in alone.values()])
    solution = solve_groups(data, x, held)
    samples = resample_groups(data, solution.x, held, count, source)
    fits = dict(alone)
    for g, (name, found) in enumerate(alone.items()):
        if not held:
            fits[name] = replace(found, samples=samples[:, g])
            continue
        at = data.member == g
        residuals = solution.residuals[at]
        fits[name] = replace(
            found,
            x=solution.x[g],
            cov=solution.covariance(g),
            objective=_huber(residuals, threshold),
            residuals=residuals,
            sigma=solution.sigma,
            jacobian=solution.gradients[at],
            samples=samples[:, g],
            success=solution.converged,
            message=f"fitted with {len(alone) - 1} other groups that share {', '.join(held)}",
            steps=solution.steps,
            identifiability=None,
            warnings=tuple(w for w in found.warnings if w.code in _OF_DATA),
        )
    return GroupFits(
        law=chosen.id,
        group=column,
        shared=held,
        fits=fits,
        alone=alone,
        objective=solution.objective,
        sigma=solution.sigma,
        free=solution.free,
        delta=threshold,
        success=solution.converged,
        warnings=(*doubts, *_gathered(fits, doubts)),
    )


def exponents(law: FitLaw) -> tuple[str, ...]:
    """Return the parameters that enter as they are, not by their logarithms, and are fitted."""
    return tuple(
        name
        for name, log, free in zip(law.names, law.logs, law.free, strict=True)
        if free and not log
    )


def _with_groups(runs: Any, group: str | None) -> tuple[Runs, str]:
    """Return runs with their groups, and the column of these."""
    if group is not None:
        text("group", group)
    if not isinstance(runs, Runs):
        runs = read_runs(read_table(runs, named="runs"), group=group)
    column = runs.columns.get("group", "group") if runs.group is not None else None
    table = Path(runs.source).name
    if column is None:
        raise DataError(f"{table}: the runs have no column of groups; read them with group=")
    if group not in (None, column):
        raise DataError(f"{table}: the runs were read with group='{column}', not with {group!r}")
    assert runs.group is not None
    present = np.unique(runs.group)
    if present.size < 2:
        raise DataError(
            f"{table}: all {len(runs)} runs have {column} = {str(present[0])!r}: there is nothing to compare; "
            "name another column with group="
        )
    empty = np.flatnonzero(runs.group == "")
    if empty.size:
        raise DataError(
            f"{table}, row {runs.row[empty[0]]}: {column} is empty; fill it, or leave the row out with where="
        )
    return runs, column


def _grouped(alone: Mapping[str, Fit], delta: float) -> Grouped:
    """Put the points of separate fits together."""
    fits = list(alone.values())
    law = fits[0].model
    logs = np.concatenate([law.logarithms(found.columns) for found in fits], axis=1)
    member = np.repeat(np.arange(len(fits)), [len(found) for found in fits])
    clusters = [np.arange(len(found)) if found.run is None else found.run for found in fits]
    return Grouped(
        law, logs, np.concatenate([found.losses for found in fits]), member, clusters, delta
    )


def _huber(residuals: Array, delta: float) -> float:
    size = np.abs(residuals)
    with np.errstate(invalid="ignore"):
        outer = delta * (size - delta / 2) if np.isfinite(delta) else size
    return float(np.sum(np.where(size < delta, size**2 / 2, outer)))


def _gathered(fits: Mapping[str, Fit], of_all: Sequence[CodedWarning]) -> tuple[CodedWarning, ...]:
    """Return each code once, with the groups that it concerns; nothing of what was said of all runs."""
    told: dict[str, list[tuple[str, str]]] = {}
    for name, found in fits.items():
        for warning in found.warnings:
            if warning not in of_all:
                told.setdefault(warning.code, []).append((name, warning.message))
    return tuple(
        CodedWarning(code, listed([f"{name}: {message}" for name, message in said]))
        for code, said in told.items()
    )
