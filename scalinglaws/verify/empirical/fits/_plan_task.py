"""The search of a plan: the best points of each law, of its samples, and of all laws together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arguments import afford, shaped
from ....errors import DataError, refusal
from .._coded_warnings import CodedWarning
from . import _repetition
from ._costs import LARGEST, Cost, root
from ._forecast import forecast, members
from ._intervals import half_width, percentiles
from ._optimal_points import compute_for, optimal_point
from ._optimum import optimum
from ._plan_record import Plan
from ._record import Fit
from ._tradeoff import (
    CAPS,
    SEVERAL,
    Caps,
    Points,
    Surface,
    best_of_budget,
    cheapest,
    partner,
    surface_of,
)

Array = NDArray[np.float64]

TARGETS = ("compute", "loss", "params", "tokens")

_DRAWS = 4000  # from the covariance, where a fit has no samples
_FIELDS = 20  # arrays per sample and target that a search holds
_KINDS = ("mean", "run", "calibrated")


class Member:
    """One law of a fit as it is planned with: its weight, its surface, and those of its samples."""

    def __init__(self, fit: Fit, weight: float, log_unique: float | None) -> None:
        self.fit, self.weight = fit, weight
        if not {"N", "D"} <= set(fit.model.variables):
            raise refusal("law", fit.law, "plans nothing: it is no law in both N and D")
        self.surface = surface_of(fit.model, fit.parameters, log_unique)
        self.samples = _draws(fit)
        self.sampled: Surface | None = None
        if self.surface is not None and len(self.samples):
            with np.errstate(over="ignore"):  # where next to nothing is known of a parameter
                drawn = fit.model.parameters(self.samples)
                self.sampled = surface_of(fit.model, drawn, log_unique)

    def parameters(self, of_samples: bool) -> Mapping[str, Any]:
        if not of_samples:
            return self.fit.parameters
        drawn = self.fit.model.parameters(self.samples)
        return {name: np.asarray(entry)[:, None] for name, entry in drawn.items()}


def _draws(fit: Fit) -> Array:
    """Return coordinates of resampled fits: as they were drawn, or else from the covariance."""
    if len(fit.samples) or fit.cov is None:
        return fit.samples
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(fit.x, fit.cov, _DRAWS, method="eigh")
    return fit.model.within(drawn)


class Task:
    """What is asked for, and the steps to its answer."""

    def __init__(
        self,
        fit: Fit,
        target: str,
        values: Array,
        *,
        unique: float | None,
        inference: float,
        caps: dict[str, float],
        cost: Cost,
        law: str | None,
        level: float,
    ) -> None:
        self.fit, self.target, self.values, self.law, self.level = fit, target, values, law, level
        self.unique, self.inference, self.given_caps = unique, inference, caps
        self.cost, self.total = cost, cost.plus_inference(inference)
        self.caps = Caps(**{name: math.log(bound) for name, bound in caps.items()})
        log_unique = None if unique is None else math.log(unique)
        self.members = {
            name: Member(one, weight, log_unique)
            for name, (weight, one) in members(fit, law).items()
        }
        self.plain = unique is None and not inference and not caps and target in TARGETS[:2]
        size = sum(max(len(member.samples), 1) for member in self.members.values())
        afford(
            float(size) * values.size * _FIELDS, "the plans of all samples", "plan fewer targets"
        )
        for name, member in self.members.items():
            if member.surface is None and not (self.plain and cost.per_token is not None):
                raise refusal(
                    "law",
                    name,
                    "is planned with for a compute or a loss at the cost 6*N*D only: it has not the form E + (A/N^a + B/D^b)^c",
                )

    @property
    def fitted_rates(self) -> bool:
        """Whether the constants of repetition are the fit's own."""
        return self.fit.law == "repetition"

    def _constants(self) -> dict[str, float]:
        """Return the constants of repetition that the plan uses."""
        if self.unique is None:
            return {}
        (surface,) = [member.surface for member in self.members.values()][:1]
        assert surface is not None  # repetition asks for a form
        return {name: float(np.ravel(getattr(surface, name))[0]) for name in ("R_D", "R_N")}

    # -- the plan of every law ------------------------------------------------------------------------------------------

    def solved(
        self, member: Member, target: str, values: Array, *, samples: bool = False
    ) -> Points:
        """Return the best points of one law, shape (1, m), or of its samples, shape (B, m)."""
        surface = member.sampled if samples else member.surface
        if surface is None:
            return self._unformed(member, target, values, samples)
        if target == "compute":
            return best_of_budget(surface, self.total, self.caps, np.log(values)[None])
        if target == "loss":
            return cheapest(surface, self.total, self.caps, values[None])
        return partner(surface, self.total, self.caps, np.log(values), target)

    def _unformed(self, member: Member, target: str, values: Array, samples: bool) -> Points:
        """Return the points of a law of another form: for a budget or a loss, at a cost per parameter and token."""
        factor = self.cost.per_token or 6.0
        parameters = member.parameters(samples)
        model = member.fit.model
        if target == "loss":
            values = np.atleast_2d(compute_for(model, parameters, values[None], factor))
        shape = (len(member.samples) if samples else 1, values.shape[-1])
        goal = np.broadcast_to(values, shape)
        finite = np.isfinite(goal)
        at = np.where(finite, goal, 1e21)
        size, data, _ = optimal_point(model, parameters, at, factor)
        u, v = (np.where(finite, np.log(entry), np.inf) for entry in (size, data))
        return Points(u, v, np.full(shape, -1))

    # -- all laws together ----------------------------------------------------------------------------------------------

    def forecast(self, u: Array, v: Array) -> Any:
        """Forecast at points, of what counts of them."""
        if self.fitted_rates:
            unique = LARGEST if self.unique is None else math.log(self.unique)
            logs = {"N": u, "D": v, "U": np.full(np.shape(v), unique)}
            return forecast(
                self.fit, {name: np.exp(entry) for name, entry in logs.items()}, law=self.law
            )
        counting = [(np.asarray(u), np.asarray(v))] * len(self.members)
        if self.unique is not None:
            counting = [
                tuple(entry[0] for entry in member.surface.counting(u[None], v[None]))  # type: ignore[union-attr]
                for member in self.members.values()
            ]
        weights = [member.weight for member in self.members.values()]
        sizes, data = (
            sum(weight * pair[k] for weight, pair in zip(weights, counting, strict=True))
            for k in (0, 1)
        )
        columns = {
            "N": np.exp(sizes),
            "D": np.exp(data),
            "C": self.fit.cost * np.exp(u + v),
        }
        return forecast(self.fit, columns, law=self.law)

    def combined(self, target: str, values: Array) -> Points:
        """Return the points of all laws, shape (m,): weighted in logarithms, on the same budget."""
        parts = [self.solved(member, target, values) for member in self.members.values()]
        if len(parts) == 1:
            return Points(parts[0].u[0], parts[0].v[0], parts[0].cap[0])
        weights = [member.weight for member in self.members.values()]
        u = sum(weight * part.u[0] for weight, part in zip(weights, parts, strict=True))
        v = sum(weight * part.v[0] for weight, part in zip(weights, parts, strict=True))
        caps = np.array([part.cap[0] for part in parts])
        cap = np.where(np.all(caps == caps[0], axis=0), caps[0], -1)
        if target == "compute":
            v = np.where(cap == SEVERAL, v, self.total.tokens_at(u, np.log(values)))
        return Points(np.asarray(u), np.asarray(v), cap)

    def reached(self, values: Array) -> Points:
        """Return the points at which the weighted forecast reaches losses, shape (m,)."""
        if len(self.members) == 1:
            return self.combined("loss", values)

        def missing(log_budget: Array, log_loss: Array) -> Array:
            points = self.combined("compute", np.exp(log_budget))
            return np.asarray(log_loss - self.forecast(points.u, points.v).log_loss)

        corner = self.caps.corner
        high = float(self.total.log(*corner)) if np.all(np.isfinite(corner)) else LARGEST
        low = float(self.total.log(0.0, 0.0))
        budget = root(missing, low, high, (np.log(values),))
        if np.any(budget == -np.inf):
            bad = values[np.argmax(budget == -np.inf)]
            raise refusal("loss", bad, "is reached by one parameter and one token", named=True)
        found = self.combined("compute", np.exp(np.where(np.isfinite(budget), budget, low)))
        nowhere = budget == np.inf
        return Points(
            np.where(nowhere, np.inf, found.u), np.where(nowhere, np.inf, found.v), found.cap
        )

    def _points(self) -> Points:
        if self.target == "loss":
            return self.reached(self.values)
        return self.combined(self.target, self.values)

    # -- the answer -----------------------------------------------------------------------------------------------------

    def plan(self, shape: tuple[int, ...]) -> Plan:
        """Return the plan, in the shape of the target."""
        self._refuse_early()
        points = self._points()
        self._refuse_late(points)
        u, v = points.u, points.v
        fields: dict[str, Any] = {"params": np.exp(u), "tokens": np.exp(v)}
        for name in ("params", "tokens"):  # a cap is met digit for digit
            if (bound := self.given_caps.get(f"max_{name}")) is not None:
                met = (points.cap == CAPS.index(f"max_{name}")) | (fields[name] > bound)
                fields[name] = np.where(met, bound, fields[name])
        fields |= {
            "compute": np.exp(self.cost.log(u, v)),
            "total_cost": np.exp(self.total.log(u, v)),
        }
        fields |= self._intervals(u, v)
        seen = self.forecast(u, v)
        fields["loss"] = np.exp(seen.log_loss)
        width = half_width(self.level)
        for kind in _KINDS:
            reach = width * np.sqrt(getattr(seen, f"{kind}_variance"))
            with np.errstate(over="ignore"):
                fields[f"loss_{kind}_low"] = np.exp(seen.log_loss - reach)
                fields[f"loss_{kind}_high"] = np.exp(seen.log_loss + reach)
        if self.target in ("compute", "params", "tokens"):
            name = "total_cost" if self.target == "compute" else self.target
            met = points.cap != SEVERAL
            fields[name] = np.where(met, self.values, fields[name])
            if name == "total_cost" and not self.inference:
                fields["compute"] = fields[name]
        fields["multiplier"] = self._multiplier(u, v)
        fields["horizon"] = seen.horizon
        fields["epochs"] = (
            np.full(u.shape, np.nan) if self.unique is None else np.exp(v) / self.unique
        )
        fields["ratio_beyond"] = np.exp(v - u) / self._ratios()[1]
        self._refuse_unmeasured(fields["epochs"])
        warnings = self._warnings(fields)
        names = np.array([*CAPS, "all", ""])
        active = names[points.cap]
        repeated = self.unique is not None
        return Plan(
            target=self.target,
            **{name: shaped(column, shape) for name, column in fields.items()},
            active=str(active[0]) if shape == () else active.reshape(shape),
            cost=self.cost.text,
            level=self.level,
            weights={name: member.weight for name, member in self.members.items()},
            caps=self.given_caps,
            unique_tokens=self.unique,
            inference_tokens=self.inference,
            constants=self._constants(),
            constants_from=("" if not repeated else "fit" if self.fitted_rates else "published"),
            certificate=self._certificate(),
            warnings=warnings,
        )

    def _intervals(self, u: Array, v: Array) -> dict[str, Array]:
        """Return percentiles of the plans of all samples, each law with its weight."""
        names = ("params", "tokens", "compute", "ratio")
        if (
            self.plain
            and not self.fitted_rates
            and self.target == "compute"
            and math.isclose(self.cost.per_token or 0.0, self.fit.cost, rel_tol=1e-12)
        ):
            known = optimum(self.fit, self.values, level=self.level, law=self.law)
            found = {
                f"{name}_{end}": getattr(known, f"{name}_{end}")
                for name in ("params", "tokens", "ratio")
                for end in ("low", "high")
            }
            return found | {"compute_low": self.values, "compute_high": self.values}
        if not all(len(member.samples) for member in self.members.values()):
            none = np.full(u.shape, np.nan)
            return {f"{name}_{end}": none for name in names for end in ("low", "high")}
        sizes, data, weights = [], [], []
        for member in self.members.values():
            with np.errstate(all="ignore"):  # samples may lie anywhere
                points = self.solved(member, self.target, self.values, samples=True)
            sizes.append(points.u)
            data.append(points.v)
            weights.append(np.full(len(points.u), member.weight / len(points.u)))
        logs_n, logs_d = np.concatenate(sizes), np.concatenate(data)
        with np.errstate(invalid="ignore", over="ignore"):
            spent = np.where(np.isfinite(logs_d + logs_n), self.cost.log(logs_n, logs_d), np.inf)
            ratio = np.where(np.isfinite(logs_d + logs_n), logs_d - logs_n, np.inf)
        if self.target == "compute" and not self.inference:
            spent = np.broadcast_to(self.cost.log(u, v), spent.shape)
        shares = np.concatenate(weights)
        found = {}
        for name, logs in zip(names, (logs_n, logs_d, spent, ratio), strict=True):
            low, high = percentiles(logs, self.level, shares[:, None] * np.ones(logs.shape[1]))
            with np.errstate(over="ignore"):
                found[f"{name}_low"], found[f"{name}_high"] = np.exp(low), np.exp(high)
        if self.target in ("params", "tokens"):
            found[f"{self.target}_low"] = found[f"{self.target}_high"] = self.values
        return found

    def _multiplier(self, u: Array, v: Array) -> Array:
        """Return the cost over that of the best plan of the same loss without caps, inference or repetition, laws weighted."""
        if self.plain:
            return np.ones(u.shape)
        found = np.zeros(u.shape)
        for member in self.members.values():
            surface = member.surface
            assert surface is not None  # other laws have plain plans only
            plain = surface.without_repetition()
            best = cheapest(plain, self.cost, Caps(), surface.loss(u[None], v[None]))
            found += member.weight * (self.cost.log(u, v) - self.cost.log(best.u, best.v)[0])
        return np.exp(found)

    def _ratios(self) -> tuple[float, float]:
        """Return the smallest and the largest D/N that was fitted."""
        columns = self.fit.columns
        if not len(self.fit) or not {"N", "D"} <= set(columns):
            return math.nan, math.nan
        ratios = (columns["D"] / columns["N"])[self.fit.row_weights > 0]
        return float(np.min(ratios)), float(np.max(ratios))

    def _certificate(self) -> str:
        if self.unique is None and self.total.per_token is not None and self.target in TARGETS[:2]:
            if any(member.surface is None for member in self.members.values()):
                return "search along the budget"
            return "closed form" if not self.given_caps else "closed form, moved to the caps"
        if self.total.convex:
            return (
                "the only point where slopes of loss and cost agree: both are convex in ln N, ln D"
            )
        return "the least of 257 points along the budget, refined; the cost is no sum of powers"

    # -- what is refused or doubtful --------------------------------------------------------------------------------------

    def _refuse_early(self) -> None:
        if self.target == "compute":
            least = float(np.exp(self.total.log(0.0, 0.0)))
            for place, value in enumerate(self.values):
                if value < least:
                    raise refusal(
                        "compute",
                        float(value),
                        f"is below the cheapest candidate: one parameter and one token cost {least:.6g}",
                        at=(place,) if self.values.size > 1 else None,
                    )
        for name, bound in self.given_caps.items():
            if name == f"max_{self.target}" and np.any(self.values > bound):
                raise refusal(
                    self.target, float(np.max(self.values)), f"is above {name} = {bound:g}"
                )
        if self.target == "tokens" and {"max_params", "max_ratio"} <= set(self.given_caps):
            most = self.given_caps["max_params"] * self.given_caps["max_ratio"]
            if np.any(self.values > most):
                raise refusal(
                    "tokens",
                    float(np.max(self.values)),
                    f"is more than max_params and max_ratio allow together: {most:.6g}",
                )
        if self.target == "loss":
            floor = self._floor()
            for value in self.values[self.values <= floor]:
                raise self._below_floor(float(value), floor)

    def _floor(self) -> float:
        """Return the loss that no model on any data reaches."""
        logs = 0.0
        for member in self.members.values():
            offset = float(member.fit.parameters.get("E", 0.0))
            if member.surface is not None:
                offset = float(member.surface.E[0, 0])
            logs += member.weight * (math.log(offset) if offset > 0 else -math.inf)
        return math.exp(logs)

    def _below_floor(self, value: float, floor: float) -> Exception:
        known = [
            f"{100 * self.level:g} % of E{f' of {name}' if len(self.members) > 1 else ''}: {low:.4g}..{high:.4g}"
            for name, member in self.members.items()
            if "E" in member.fit.names and (member.fit.cov is not None or len(member.fit.samples))
            for low, high in [member.fit.interval("E", self.level)]
        ]
        words = f" ({'; '.join(known)})" if known else ""
        return refusal(
            "loss",
            value,
            f"is not above the irreducible loss E = {floor:.6g}, by {floor - value:.4g}: no compute reaches it{words}",
        )

    def _refuse_late(self, points: Points) -> None:
        beyond = ~(np.isfinite(points.u) & np.isfinite(points.v))
        if np.any(beyond):
            value = float(self.values[np.argmax(beyond)])
            if self.target != "loss":
                raise refusal(self.target, value, "has no best plan: a term of the law is flat")
            limits = list(self.given_caps)
            limits += ["unique_tokens"] if self.unique is not None else []
            within = f" within {' and '.join(limits)}" if limits else ""
            raise refusal("loss", value, f"is out of reach{within}{self._least_within()}")
        small = (points.u < 0) | (points.v < 0)
        if np.any(small):
            at = int(np.argmax(small))
            raise refusal(
                self.target,
                float(self.values[at]),
                f"leaves no run: the best has {np.exp(points.u[at]):.2g} parameters and {np.exp(points.v[at]):.2g} tokens",
            )

    def _refuse_unmeasured(self, epochs: Array) -> None:
        """Refuse epochs that no run ever had, and many of them by a rate that was fitted to few."""
        if self.unique is None:
            return
        own = self.fitted_rates and len(self.fit) > 0
        seen = _repetition.largest_epochs(self.fit) if own else 0.0
        asked = float(np.max(epochs))
        furthest = max(_repetition.FURTHEST_EPOCHS, seen)
        if asked > furthest * (1 + 1e-9):
            enough, most = 1.01 * asked * self.unique / furthest, 0.99 * furthest * self.unique
            cap = f", or cap the plan with max_tokens={most:.3g}" if self.target != "tokens" else ""
            raise refusal(
                "unique_tokens",
                self.unique,
                f"would be repeated {asked:.3g} times for {self.target} = {self.values[np.argmax(epochs)]:.6g}; laws of repetition are "
                f"known up to {furthest:g} epochs: give unique_tokens >= {enough:.3g}{cap}",
            )
        if not own:
            return
        if seen < _repetition.LEAST_EPOCHS and asked > _repetition.MOST_EPOCHS * (1 - 1e-9):
            raise DataError(
                f"R_D is not measured: the runs see their unique tokens up to {seen:.3g} times, and the plan {asked:.3g} times; "
                f"add runs of {_repetition.LEAST_EPOCHS:g} epochs or more (better 16 to 32), cap the plan with max_tokens="
                f"{seen * self.unique:.3g}, or plan by published constants with a fit of surface"
            )

    def _least_within(self) -> str:
        """Say which loss the caps allow."""
        corner = np.minimum(self.caps.corner, LARGEST)
        least = float(np.exp(self.forecast(corner[:1], corner[1:]).log_loss[0]))
        return f"; the least there is {least:.6g}"

    def _warnings(self, fields: Mapping[str, Array]) -> tuple[CodedWarning, ...]:
        found = []
        most, whose = _repetition.MOST_EPOCHS, "published"
        if self.fitted_rates and len(self.fit):
            most, whose = _repetition.largest_epochs(self.fit), "fitted"
        if self.unique is not None and np.any(fields["epochs"] > most * (1 + 1e-9)):
            found.append(
                CodedWarning(
                    "W-many-epochs",
                    f"the plan repeats {self.unique:.3g} unique tokens {np.max(fields['epochs']):.3g} times: beyond "
                    f"{most:.3g} the {whose} constants were not measured",
                )
            )
        beyond = fields["ratio_beyond"]
        if np.any(beyond > 1):
            most = float(np.nanmax(beyond))
            found.append(
                CodedWarning(
                    "W-far-ratio",
                    f"D/N is up to {most:.2g} times the largest fitted, {self._ratios()[1]:.3g}: fits of usual ratios "
                    "overstate what more tokens gain there (Sardana et al.)",
                )
            )
        ratios = fields["tokens"] / fields["params"]
        smallest = self._ratios()[0]
        if np.any(ratios < smallest):
            told = (
                f"D/N is down to {np.min(ratios):.2g}, where the smallest fitted is {smallest:.3g}"
            )
            found.append(CodedWarning("W-far-ratio", told))
        return tuple(found)
