"""The loop over chains, whatever network they sample, and the judgment of whether they agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ....arguments import choice, generator, number, whole
from ....errors import ConvergenceError, refusal
from ....reprs import short_repr
from ....results import Diagnostics, Status
from .._convergence import agreement, chain_sizes
from ._chains import Chain, first_step, warm_up
from ._records import NetworkSample

Array = NDArray[np.float64]
Found = TypeVar("Found", bound=NetworkSample)
Observe = Callable[[Array, np.random.Generator], tuple[dict[str, Array | float], Array]]
"""From a position to what is recorded of it, and to the mean network on the training points, which is averaged."""
Scalars = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""From what was recorded, (chains, draws, ...), to the scalars, (chains, draws), on which chains must agree."""

_DIVERGENT = 0.01  # share of trajectories
PLANTED = 3.0
"""Factor by which planted starts enlarge the weights along the direction."""


class Network(Protocol):
    """Energy of a network's hidden weights, in coordinates in which the prior's spread is about one."""

    def start(self, planted: bool, rng: np.random.Generator) -> Array:
        """Draw a position from the prior, its weights along the direction enlarged if it is planted."""

    def __call__(self, position: Array) -> tuple[float, Array]:
        """Return the energy and its gradient."""


@short_repr
@dataclass(frozen=True)
class Plan:
    """How chains are run; made by `planned`, which checks."""

    chains: int
    draws: int
    warmup: int
    thinning: int
    duration: float
    acceptance: float
    planted: tuple[bool, ...]
    on_failure: str


def planned(
    *,
    chains: Any,
    draws: Any,
    warmup: Any,
    thinning: Any,
    duration: Any,
    acceptance: Any,
    planted: Any,
    on_failure: Any,
) -> Plan:
    """Check how chains are to be run; arguments are those of `sample_posterior`."""
    moves, before = whole("thinning", thinning), whole("warmup", warmup, low=0)
    runs, kept = chain_sizes(chains, draws)
    duration = number("duration", duration, low=0, strict=True)
    acceptance = number("acceptance", acceptance)
    if not 0 < acceptance < 1:
        raise refusal("acceptance", acceptance, "must lie between 0 and 1")
    choice("on_failure", on_failure, ("raise", "return"))
    return Plan(
        runs, kept, before, moves, duration, acceptance, _planted(planted, runs), on_failure
    )


def _planted(planted: Any, chains: int) -> tuple[bool, ...]:
    """Return which chains start planted: every other one first, then those between them."""
    if planted is None:
        count = chains // 2
    elif isinstance(planted, (bool, np.bool_)):
        count = chains if planted else 0
    else:
        count = whole("planted", planted, low=0, high=chains)
    first = chains // 2
    return tuple(i // 2 < count if i % 2 else first + i // 2 < count for i in range(chains))


def sample(
    record: type[Found],
    name: str,
    network: Network,
    observe: Observe,
    scalars: Scalars,
    plan: Plan,
    rng: np.random.Generator | int,
) -> Found:
    """Run chains of a network one after the other, and judge whether they agree.

    Parameters
    ----------
    record : type
        Of the result; what `observe` does not find is empty there.
    name : str
        Of the public function, for messages.
    network : Network
        What is sampled.
    observe : callable
        What is kept of every draw.
    scalars : callable
        What chains must agree on; the energy is added.
    plan : Plan
        How many chains, how long.
    rng : Generator or int
        Each chain takes a stream spawned from it.

    Returns
    -------
    NetworkSample
        Of the class `record`.

    Raises
    ------
    ConvergenceError
        If chains disagree, have too few effective draws or diverge, with the result attached.
    """
    runs, kept, moves = plan.chains, plan.draws, plan.thinning
    records: dict[str, list[Array]] = {}
    step_sizes, accepted, means, divergences, gradients = [], np.zeros(runs), [], 0, 0
    for i, stream in enumerate(generator(rng).spawn(runs)):
        start = network.start(plan.planted[i], stream)
        chain = Chain(start, *network(start), step_size=0.1)
        first_step(chain, network, stream)
        warm_up(chain, network, plan.duration, plan.warmup, plan.acceptance, stream)
        rows: dict[str, list[Array | float]] = {"energies": []}
        mean: Array | float = 0.0
        for _ in range(kept):
            for _ in range(moves):
                share, lost = chain.move(network, plan.duration, stream)
                accepted[i] += share / (kept * moves)
                divergences += lost
            found, fitted = observe(chain.position, stream)
            mean = mean + fitted / kept
            rows["energies"].append(chain.energy)
            for key, value in found.items():
                rows.setdefault(key, []).append(value)
        for key, values in rows.items():
            records.setdefault(key, []).append(np.asarray(values))
        means.append(mean)
        step_sizes.append(chain.step_size)
        gradients += chain.gradients

    stacked = {
        key: np.stack(records[key]) if key in records else np.empty((runs, 0))
        for key in record.recorded
    }
    judged = {"energy": stacked["energies"], **scalars(stacked)}
    judged = {key: values for key, values in judged.items() if values.size}
    agreed = agreement(judged)
    diverging = divergences > _DIVERGENT * runs * kept * moves
    status = Status.LOST_ACCURACY if diverging else agreed.status
    result = record(
        **stacked,
        train_mean=np.stack(means),
        acceptance=accepted,
        step_size=np.array(step_sizes),
        divergences=divergences,
        r_hat=agreed.r_hat,
        effective_size=agreed.effective_size,
        standard_error=agreed.standard_error,
        planted=np.array(plan.planted),
        diagnostics=Diagnostics(
            status,
            agreed.residual,
            gradients,
            "Hamiltonian Monte Carlo",
            agreed.error_estimate,
        ),
    )
    if not status.ok and plan.on_failure == "raise":
        reason = (
            f"{divergences} of {runs * kept * moves} trajectories diverge; ask for a larger acceptance"
            if diverging
            else agreed.complaint
        )
        raise ConvergenceError(f"{name}: {reason}, or on_failure='return'", result=result)
    return result
