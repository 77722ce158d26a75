r"""
The compute frontier
====================

At a fixed budget, a small model is limited by its size and a large one by the time it
is trained. The best size, budget by budget, is the compute frontier; its slope is a
derived law.
"""

# %%
# Loss at fixed compute
# ---------------------
# Online gradient descent with N features for t steps costs :math:`C = N t`. First a
# rough task: the optimum balances time and model size, phase Ia.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import solvers, theory
from scalinglaws.verify.plots.linear import isoflop

rough = solvers.PowerLawSpectrum.from_ab(a=1.7, b=1.4)
figure = isoflop(
    rough,
    [1e6, 1e8, 1e10, 1e12, 1e14],
    points=21,
    figure=plt.figure(figsize=(10.4, 4.4), layout="constrained"),
)

# %%
# A smoother task: now gradient noise balances what a limited number of features adds
# before it saturates, phase III. The approach to the derived exponents is slower.

smooth = solvers.PowerLawSpectrum.from_ab(a=4, b=1.4)
figure = isoflop(
    smooth,
    [1e6, 1e8, 1e10, 1e12, 1e14],
    points=21,
    figure=plt.figure(figsize=(10.4, 4.4), layout="constrained"),
)
for budget in (1e6, 1e8, 1e11, 1e14):
    found = solvers.linear.compute_frontier(budget, smooth)
    print(
        f"C = {budget:.0e}: loss exponent {found.loss_exponent:.4f}, "
        f"size exponent {found.features_exponent:.4f}"
    )

# %%
# All seven phases
# ----------------
# The local exponents of the frontier against what the laws derive. For a capacity of
# at most one, the number of modes grows with the model, :math:`M = 4 N`, and the
# learning rate falls with their number.

tasks = {  # (a, b), budget
    "Ia": ((1.7, 1.4), 1e22),
    "II": ((2.6, 1.4), 1e22),
    "III": ((4, 1.4), 1e22),
    "Ib": ((1.3, 0.8), 1e22),
    "IVa": ((2.4, 0.8), 1e22),
    "IVb": ((2.2, 0.54), 1e60),
    "Ic": ((2, 0.4), 1e22),
}
loss_law, size_law = theory.law("linear.compute"), theory.law("linear.compute_model")
print("phase   loss: frontier  derived   size: frontier  derived   budget")
for phase, ((a, b), budget) in tasks.items():
    training = {}
    if b < 1:
        training = {"modes_per_feature": 4, "relative_rate": 0.5}
    size = np.inf if b > 1 else 1
    task = solvers.PowerLawSpectrum.from_ab(a, b, size)
    found = solvers.linear.compute_frontier(budget, task, **training)
    values = {"alpha": task.alpha, "beta": task.beta}
    assert loss_law.regime(**values) == phase
    print(
        f"{phase:5}   {found.loss_exponent:14.4f}  {float(loss_law(**values)):7.4f}"
        f"   {found.features_exponent:14.4f}  {float(size_law(**values)):7.4f}"
        f"   {budget:.0e}"
    )
