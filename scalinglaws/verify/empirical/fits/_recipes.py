"""Recipes against a reference: which is better, by what factor of compute, and whether that grows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import flag, numbers, several
from ....errors import DataError, refusal
from ....notebook import words_html
from ....reprs import LONGEST, line
from ....results import Result
from .._coded_warnings import CodedWarning
from .._runs import Runs
from ._groups import GroupFits, fit_groups
from ._laws import fit_law
from ._multiplier import ComputeMultiplier, common_range
from ._optimal_points import CLOSED
from ._recipe_report import recipe_lines
from ._sharing import SharingTest

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RecipeComparison(Result):
    """Recipes compared with one of them.

    Attributes
    ----------
    reference : str
        The recipe that the others are compared with.
    fits : GroupFits
        With what is shared; the answer comes from these.
    separate : GroupFits
        Each recipe with parameters of its own, for contrast.
    test : SharingTest
        Of what is shared; of the exponents where nothing is.
    chosen : bool
        Whether it was told what is shared. If not, the exponents are, unless the test rejects that.
    multipliers, separately : dict of str to ComputeMultiplier
        Recipe -> compute over that of the reference at `compute`, from `fits` and from `separate`.
    at : dict of str to ComputeMultiplier
        The same from `fits` at the least and the largest compute of which all recipes have runs: growth is between these.
    separately_at : dict of str to ComputeMultiplier
        The same from `separate`.
    compute : ndarray, shape (m,)
        C of the reference.
    warnings : tuple of CodedWarning
        What is doubtful, of the runs, the fits and the test.
    """

    reference: str
    fits: GroupFits
    separate: GroupFits
    test: SharingTest
    chosen: bool
    multipliers: dict[str, Any]
    separately: dict[str, Any]
    at: dict[str, Any]
    separately_at: dict[str, Any]
    compute: Array
    warnings: tuple[CodedWarning, ...] = ()

    def __len__(self) -> int:
        return len(self.multipliers)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{name} {found.multiplier[-1]:.3g}" for name, found in list(self.at.items())[:4]
        )
        words = f"RecipeComparison against {self.reference} at {self.largest:.2g}: {shown}"
        return f"<{line(words, LONGEST - 2)}>"

    @property
    def candidates(self) -> tuple[str, ...]:
        """The other recipes, the one with the least compute first."""
        return tuple(self.at)

    @property
    def largest(self) -> float:
        """The largest compute of which all recipes have runs."""
        return float(next(iter(self.at.values())).compute[-1])

    def _repr_html_(self) -> str:
        return words_html(self.report())

    def report(self, *, verbose: bool = False) -> str:
        """Describe the comparison: the verdict, multipliers, whether sharing is right, parameters.

        Parameters
        ----------
        verbose : bool
            All recipes, and all warnings with their cures. Otherwise at most 24 lines of 100 characters.

        Returns
        -------
        str
            What a person reads.
        """
        lines = recipe_lines(
            reference=self.reference,
            fits=self.fits.fits,
            formula=self.fits.formula,
            shared=self.fits.shared,
            test=self.test,
            chosen=self.chosen,
            multipliers=self.multipliers,
            separately=self.separately if self.fits.shared else {},
            at=self.at,
            separate_at=self.separately_at if self.fits.shared else {},
            warnings=self.warnings,
            verbose=flag("verbose", verbose),
        )
        return "\n".join(lines)


def compare_recipes(
    law: str | Any,
    runs: Runs | Mapping[str, Any] | Any,
    reference: str,
    group: str | None = None,
    shared: Iterable[str] | None = None,
    *,
    compute: ArrayLike | None = None,
    bootstrap: int = 2000,
    rng: int | np.random.Generator = 0,
) -> RecipeComparison:
    """Compare recipes, or data sets, with one of them.

    Their laws are fitted together by `fit_groups`; the compute with which each reaches the best loss of the reference is
    `GroupFits.compute_multiplier`. Losses must be of the same validation data.

    Parameters
    ----------
    law : str, Law or FitLaw
        ``"surface"`` or ``"surface_power"``.
    runs : Runs, data frame or mapping
        What `read_runs` returns or reads.
    reference : str
        One of the recipes.
    group : str, optional
        The column with the recipe of each run; by default the one with which runs were read.
    shared : iterable of str, optional
        Parameters that all recipes share. By default the exponents, unless the joint F test rejects that at 5 %: then nothing.
    compute : array_like, shape (m,), optional
        C of the reference, > 0. By default the least and the largest of which all recipes have runs, and 10 and 100 times the latter.
    bootstrap : int
        Number of resamples.
    rng : Generator or int
        Source of randomness, or a seed.

    Returns
    -------
    RecipeComparison
        Best recipes first.

    Raises
    ------
    DataError
        If the runs cannot be fitted, or no compute has runs of all recipes.
    DomainError
        If an argument is not allowed; for a reference that is not there, the message names those that are.

    Notes
    -----
    Not to reject is not to be equal: after a test that finds a difference of 0.02 in b one time in five, and did not, intervals from shared
    exponents hold the truth at a thousand times the runs' compute 60 % of the time. They are shown beside those of separate fits.

    Examples
    --------
    >>> from scalinglaws.verify import empirical
    >>> runs = empirical.example_runs("gadre")
    >>> compare_recipes("surface", runs, "c4_original", bootstrap=0)
    <RecipeComparison against c4_original at 5.7e+21: ...>
    """
    if fit_law(law).id not in CLOSED:
        raise refusal("law", law, f"must be {' or '.join(CLOSED)}")
    kept = None if shared is None else several("shared", shared, str)
    first = fit_groups(law, runs, group, kept, bootstrap=bootstrap, rng=rng)
    first.fit_of(reference)
    test = first.test()
    separate = first
    if first.shared:
        separate = fit_groups(law, runs, group, (), bootstrap=bootstrap, rng=rng)
    fits = separate if kept is None and test.rejected else first
    low, high = (float(f"{C:.1e}") for C in common_range(fits.fits))
    if low > high:
        raise DataError(
            f"no compute has runs of all recipes: the least of one is {low:.2g}, the largest of another {high:.2g}"
        )
    asked = (
        np.unique([low, high, 10 * high, 100 * high])
        if compute is None
        else np.atleast_1d(numbers("compute", compute, low=0, strict=True)).ravel()
    )
    others = [name for name in fits.names if name != reference]
    ends = np.unique([low, high])
    at = {name: fits.compute_multiplier(reference, name, ends) for name in others}
    order = sorted(others, key=lambda name: float(at[name].multiplier[-1]))

    def all_of(found: GroupFits, where: Array) -> dict[str, ComputeMultiplier]:
        return {name: found.compute_multiplier(reference, name, where) for name in order}

    return RecipeComparison(
        reference=reference,
        fits=fits,
        separate=separate,
        test=test,
        chosen=kept is not None,
        multipliers=all_of(fits, asked),
        separately=all_of(separate, asked),
        at={name: at[name] for name in order},
        separately_at=all_of(separate, ends),
        compute=asked,
        warnings=(*fits.warnings, *(test.warnings if fits.shared else ())),
    )
