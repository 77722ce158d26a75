"""What macro steps see of a schedule: whether a function is followed."""

from __future__ import annotations

import numpy as np

from ..equivalents.macro_steps import Mesh, radau
from ._schedule import Schedule

LISTED = 2**20
"""Steps up to which all values of a function are looked at."""

_SEEN = 1e-3  # of the sum over a macro step
_PROBES, _PROBED = 32, 0.1  # points of a macro step, and how far they may be off


def follows(schedule: Schedule, at: Mesh) -> bool:
    """Tell whether a function is what its values at the points of macro steps say: all of its steps if they are not too many."""
    if schedule.form != "from_function":
        return True
    long = at.lengths > 1
    if not np.any(long):
        return True
    values, starts, lengths = schedule(at.times[long]), at.starts[long], at.lengths[long]
    if schedule.steps <= LISTED:
        inside = at.backward[long][:, :, 1:]
        for power in (1, 2):  # what moves, and what makes noise
            known = np.concatenate(([0.0], np.cumsum(schedule.values() ** power)))
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
        found += values[:, k, None] * np.prod((x[..., None] - others) / (c[k] - others), axis=-1)
    return bool(
        np.all(np.abs(found - schedule(steps)) <= _PROBED * np.max(values, axis=1)[:, None])
    )
