r"""
Compute with features that learn
================================

What a network gains in time it spends on size. On hard tasks the compute-optimal
exponent improves and the best model is larger; on the others nothing changes.
"""

# %%
# The law
# -------
# The loss is limited by time, by width, and by what a finite width adds before it
# saturates. Feature learning speeds up time, and leaves the limit of the width alone.

from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import SourceCapacity, solvers, theory

lazy, rich = (
    theory.law(f"feature_learning.{name}") for name in ("compute_lazy", "compute")
)
sizes = {
    "lazy": theory.law("linear.compute_model"),
    "rich": theory.law("feature_learning.compute_model"),
}
tasks = {
    "hard": SourceCapacity(alpha=Fraction(3, 2), beta=Fraction(1, 2)),
    "easy": SourceCapacity(alpha=2, beta=Fraction(5, 4)),
    "super-easy": SourceCapacity(alpha=2, beta=2),
}
for name, task in tasks.items():
    values = {"alpha": task.alpha, "beta": task.beta}
    print(
        f"{name:10} loss exponent: lazy {lazy(**values)}, rich {rich(**values)}; "
        f"size: {sizes['lazy'](**values)}, {sizes['rich'](**values)}"
    )

# %%
# Where it changes
# ----------------
# Regimes and boundaries are the same. Only the formula of the hard one is not.

from scalinglaws.verify.plots.feature_learning import phase_diagram

figure = phase_diagram(
    tasks=list(tasks.values()),
    figure=plt.figure(figsize=(13, 4.6), layout="constrained"),
)

# %%
# The frontier
# ------------
# The solver knows no regimes: at every budget it looks for the width with the least
# loss.

spectrum = solvers.PowerLawSpectrum(1.5, 0.5)
budgets = np.array([1e4, 1e8, 1e12])
frontiers = {
    "lazy": solvers.feature_learning.compute_frontier(budgets, spectrum, richness=0),
    "rich": solvers.feature_learning.compute_frontier(budgets, spectrum, richness=1),
}
values = {"alpha": spectrum.alpha, "beta": spectrum.beta}
derived = {"lazy": float(lazy(**values)), "rich": float(rich(**values))}
for kind, found in frontiers.items():
    for i, budget in enumerate(budgets):
        print(
            f"{kind}, C = {budget:.0e}: N {found.features[i]:.4g}, "
            f"loss {found.loss[i]:.4g}, exponents {found.loss_exponent[i]:.4f}, "
            f"{found.features_exponent[i]:.4f}"
        )
    size = float(sizes[kind](**values))
    print(f"{kind}, derived: exponents {derived[kind]:.4f}, {size:.4f}")

# %%
# What a loss costs
# -----------------
# For the lazy network's best loss the rich one needs a fraction of the compute, which
# shrinks as budgets grow.

cost = np.exp(
    np.interp(
        -np.log(frontiers["lazy"].loss),
        -np.log(frontiers["rich"].loss),
        np.log(budgets),
    )
)
for budget, less in zip(budgets[1:], cost[1:], strict=True):
    print(f"lazy at C = {budget:.0e}: a rich network needs {less / budget:.0%} of it")

figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.2), layout="constrained")
for (kind, found), color in zip(frontiers.items(), ("#1b3a5c", "#d1495b"), strict=True):
    for axis, field, exponent in (
        (left, "loss", -derived[kind]),
        (right, "features", float(sizes[kind](**values))),
    ):
        best = getattr(found, field)
        axis.plot(budgets, best, "o", color=color, ms=5, label=f"{kind}: solver")
        slope = best[-1] * (budgets / budgets[-1]) ** exponent
        label = f"derived slope {exponent:.3f}"
        axis.plot(budgets, slope, color=color, lw=1.2, ls="--", label=label)
left.set(xscale="log", yscale="log", xlabel="compute C = N t", ylabel="best loss")
right.set(xscale="log", yscale="log", xlabel="compute C = N t", ylabel="best size N")
for axis in (left, right):
    axis.legend(frameon=False, fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)
