"""Whether groups may share parameters: the joint F test, and which differences it would have found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import fdtrc, fdtri, ncfdtr

from ....arguments import number
from ....errors import DataError, refusal, unknown_name
from ....results import Result
from .._coded_warnings import CodedWarning
from ._grouped import Grouped, GroupSolution, solve_groups

Array = NDArray[np.float64]

POWER = 0.8
"""Power at which a difference counts as one that the test would have found."""
_MOST = 1e8  # noncentrality up to which one is looked for


@dataclass(frozen=True)
class SharingTest(Result):
    r"""The F test of parameters that groups share against parameters of their own.

    Attributes
    ----------
    names : tuple of str
        Parameters that are tested, all together.
    given : tuple of str
        Others that are shared on both sides.
    statistic : float
        :math:`F = \frac{(RSS_{shared} - RSS_{own})/\nu_1}{RSS_{own}/\nu_2}`, by least squares in ln L.
    degrees : (int, int)
        :math:`\nu_1, \nu_2`.
    p_value : float
        Probability of a larger F if the parameters are the same.
    level : float
        Below which sharing is rejected.
    difference : float
        A difference that matters: in exponents as it is, in other parameters relative.
    power : dict of str to float
        Parameter -> probability that the test finds it to differ by that in one group; the least over groups.
    detectable : dict of str to float
        Parameter -> the difference that the test finds with probability 0.8.
    relative : tuple of str
        Those of the parameters whose differences are relative.
    warnings : tuple of CodedWarning
        ``W-low-power`` after a test that could hardly have rejected.
    """

    names: tuple[str, ...]
    given: tuple[str, ...]
    statistic: float
    degrees: tuple[int, int]
    p_value: float
    level: float
    difference: float
    power: dict[str, float]
    detectable: dict[str, float]
    relative: tuple[str, ...]
    warnings: tuple[CodedWarning, ...] = ()

    @property
    def rejected(self) -> bool:
        """Whether the groups differ in these parameters."""
        return self.p_value < self.level

    def summary(self) -> str:
        """Describe the test in a few lines.

        Returns
        -------
        str
            At most 100 columns.
        """
        given = f" given {', '.join(self.given)}" if self.given else ""
        found = "they differ" if self.rejected else "not rejected, which proves nothing"
        found = "not rejected" if not self.rejected and not self.warnings else found
        F = f"F({self.degrees[0]}, {self.degrees[1]}) = {self.statistic:.3g}"
        sizes = [
            f"{name} {_size(self.detectable[name], name in self.relative)}" for name in self.names
        ]
        chances = [f"{name} {self.power[name]:.2f}" for name in self.names]
        return (
            f"are {', '.join(self.names)} the same{given}? {F}, p = {self.p_value:.2g}: {found}\n"
            f"  differences found with power {POWER}: {', '.join(sizes)}; "
            f"power at {self.difference:g}: {', '.join(chances)}"
        )


def sharing_test(
    data: Grouped,
    separate: Array,
    names: Collection[str],
    given: Collection[str],
    *,
    level: float = 0.05,
    difference: float = 0.02,
) -> SharingTest:
    """Test whether groups share parameters.

    Parameters
    ----------
    data : Grouped
        Points.
    separate : ndarray, shape (groups, p)
        Coordinates of the fit to each group alone.
    names : collection of str
        Parameters to test.
    given : collection of str
        Parameters that are shared anyway.
    level : float
        Of the test.
    difference : float
        Against which its power is computed, > 0.

    Returns
    -------
    SharingTest
        By least squares, whatever the threshold of the fits.
    """
    law = data.law
    share, matters = (
        number("level", level, low=1e-6, high=0.5),
        number("difference", difference, low=0, strict=True),
    )
    for name in (*names, *given):
        if name not in law.names:
            raise unknown_name("parameter", name, law.names)
    tested = tuple(name for name in law.names if name in names and law.free[law.names.index(name)])
    kept = tuple(name for name in law.names if name in given and name not in tested)
    if not tested:
        raise refusal(
            "names", list(names), f"must name parameters that are fitted, of {', '.join(law.names)}"
        )
    squares = replace(data, delta=np.inf)
    own = solve_groups(squares, separate, kept)
    shared = solve_groups(squares, separate, (*tested, *kept))
    over, left = own.free - shared.free, data.losses.size - own.free
    if left < 1:
        raise DataError(f"{data.losses.size} points leave nothing to test {', '.join(tested)} with")
    excess = max(shared.rss - own.rss, 0.0)
    statistic = (excess / over) / (own.rss / left) if own.rss > 0 else np.inf if excess > 0 else 0.0
    critical = float(fdtri(over, left, 1 - share))
    steps = _noncentralities(own, law.names, tested, data.groups)
    power = {
        name: float(1 - ncfdtr(over, left, min(unit * matters**2, _MOST), critical))
        for name, unit in steps.items()
    }
    needed = _noncentrality(over, left, critical)
    p_value = float(fdtrc(over, left, statistic)) if np.isfinite(statistic) else 0.0
    found = SharingTest(
        names=tested,
        given=kept,
        statistic=float(statistic),
        degrees=(over, left),
        p_value=p_value,
        level=share,
        difference=matters,
        power=power,
        detectable={name: float(np.sqrt(needed / unit)) for name, unit in steps.items()},
        relative=tuple(name for name in tested if law.logs[law.names.index(name)]),
    )
    weak = [name for name in tested if power[name] < POWER]
    if found.rejected or not weak:
        return found
    told = ", ".join(f"{name} {power[name]:.2f}" for name in weak)
    warning = CodedWarning(
        "W-low-power",
        f"of the test that groups share parameters, at a difference of {matters:g}: {told}",
    )
    return replace(found, warnings=(warning,))


def _noncentralities(
    own: GroupSolution, law_names: Sequence[str], tested: tuple[str, ...], groups: int
) -> dict[str, float]:
    """Return what a difference of 1 in one group adds to the noncentrality of F, the least over groups.

    With contrasts d = R z to the first group, that is d^T (R Cov R^T)^-1 d.
    """
    rows = []
    for name in tested:
        at = own.places[:, law_names.index(name)]
        for g in range(1, groups):
            row = np.zeros(len(own.cov))
            row[at[g]], row[at[0]] = 1.0, -1.0
            rows.append(row)
    contrasts = np.array(rows)
    precision = np.linalg.pinv(contrasts @ own.cov @ contrasts.T, hermitian=True)
    found = {}
    for k, name in enumerate(tested):
        block = precision[k * (groups - 1) : (k + 1) * (groups - 1)][
            :, k * (groups - 1) : (k + 1) * (groups - 1)
        ]
        found[name] = max(
            float(min(np.sum(block), *np.diag(block))), 1e-300
        )  # the first group, or another one
    return found


def _noncentrality(over: int, left: int, critical: float) -> float:
    """Return the noncentrality at which F exceeds its critical value with the probability `POWER`."""

    def missing(log_lambda: float) -> float:
        return float(1 - ncfdtr(over, left, np.exp(log_lambda), critical)) - POWER

    return float(np.exp(brentq(missing, -5.0, np.log(_MOST), xtol=1e-10)))


def _size(difference: float, relative: bool) -> str:
    return f"{100 * difference:.2g} %" if relative else f"{difference:.2g}"
