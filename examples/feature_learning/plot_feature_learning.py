r"""
Features that learn
===================

On a hard task a network that learns features falls faster than the lazy one, with a
larger exponent of time. On an easy task it falls with the same exponent. Which exponent
it is follows from one line of self-consistency; the solver shows when it holds.
"""

# %%
# The law
# -------
# A lazy network's loss falls as :math:`t^{-\beta}`. If features learn too, their kernel
# grows by a factor s(t), and training goes on in the warped time
# :math:`\tau = \int s\,dt`. The growth is driven by the loss itself.

from fractions import Fraction

from scalinglaws import solvers, theory

law = theory.law("feature_learning.time")
for regime in law.regimes:
    print(f"{regime.name:12} {regime.condition}: exponent {regime.exponent}")

levels = theory.law("feature_learning.bootstrap")
half = Fraction(1, 2)
print("level by level:", *(levels(beta=half, n=n) for n in range(1, 7)))
print("all levels:", law(alpha=2, beta=half))

# %%
# Ten decades of training
# -----------------------
# The solver follows the flow to any time, at a cost that does not grow with it. The
# dots are where the kernel has doubled, which is where a curve leaves the lazy one.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.verify.plots.feature_learning import kernel_scale, loss_curves

hard = solvers.PowerLawSpectrum(1.5, 0.5)
time = np.geomspace(0.1, 1e10, 111)
figure = loss_curves(
    hard,
    time,
    richness=(0, 1e-3, 0.03, 1),
    figure=plt.figure(figsize=(10.4, 4.2), layout="constrained"),
)

# %%
# The kernel never stops growing: there is always more of a hard task to be learned.

figure = kernel_scale(
    hard,
    time,
    richness=(1e-3, 0.03, 1),
    figure=plt.figure(figsize=(10.4, 4.2), layout="constrained"),
)

# %%
# An easy task is learned before the kernel has grown much. Both exponents are the same.

figure = loss_curves(
    solvers.PowerLawSpectrum(1.5, 1.25),
    time,
    figure=plt.figure(figsize=(10.4, 4.2), layout="constrained"),
)

# %%
# Hard, easy, and in between
# --------------------------
# Local exponents of the loss at richness 1, and the scale of the kernel. At
# :math:`\beta = 1` the exponent is 1, times a power -1/2 of a logarithm, so that the
# local one approaches it as :math:`1 + 1/(2 \log t)`.

near = np.array([0.95, 1, 1 / 0.95])
print("beta  derived  t = 1e4   1e6     1e8     1e10    s(1e10)")
for beta in (0.25, 0.5, 0.75, 1, 1.25, 1.5):
    task = solvers.PowerLawSpectrum(1.5, beta)
    slopes = []
    for when in (1e4, 1e6, 1e8, 1e10):
        flow = solvers.feature_learning.gradient_flow(when * near, task, richness=1)
        slopes.append(np.log(flow.test_loss[2] / flow.test_loss[0]) / 2 / np.log(0.95))
    derived = float(law(alpha=1.5, beta=beta))
    shown = "  ".join(f"{slope:.4f}" for slope in slopes)
    print(f"{beta:<5} {derived:.4f}   {shown}  {flow.scale[1]:.6g}")

# %%
# When it starts
# --------------
# The poorer the network, the later its kernel has doubled, at a time
# :math:`\gamma^{-1/(1-\beta)}`.

richness = np.array([1e-2, 1e-3, 1e-4, 1e-5])
start = theory.law("feature_learning.crossover")
for beta in (0.25, 0.5, 0.75):
    task = solvers.PowerLawSpectrum(1.5, beta)
    times = solvers.feature_learning.crossover_time(task, richness=richness)
    power = np.log(times[-1] / times[-2]) / np.log(10)
    print(f"beta = {beta}: doubled at", *(f"{t:.4g}" for t in times), end=", ")
    print(f"power {power:.4f}, derived {float(start(beta=beta)):.4f}")

# %%
# The constant
# ------------
# The loss at long times has a constant too, for any richness.

constant = theory.law("feature_learning.prefactor")
for beta in (0.25, 0.5, 0.75, 1.25):
    task = solvers.PowerLawSpectrum(1.5, beta)
    for gamma in (0.1, 10):
        flow = solvers.feature_learning.gradient_flow(1e10, task, richness=gamma)
        leading = constant.asymptote(1e10, alpha=1.5, beta=beta, gamma=gamma)
        ratio = flow.test_loss / leading
        print(f"beta = {beta}, richness {gamma}: loss / leading term {ratio:.5f}")

# %%
# What does not change
# --------------------
# With few features training ends where the lazy network's ends, only sooner.

when = [10, 100, 1000, 1e4, np.inf]
for gamma in (0, 1, 30):
    flow = solvers.feature_learning.gradient_flow(
        when, hard, richness=gamma, features=1000
    )
    print(f"richness {gamma:2}:", *(f"{loss:.5f}" for loss in flow.test_loss))

# %%
# Before, a finite width adds :math:`1/N` times a power of time; for hard tasks it
# grows.

extra = theory.law("feature_learning.transient")
width, when = 1e6, 1e4 * near
for beta in (0.5, 1.75):
    task = solvers.PowerLawSpectrum(1.5, beta)
    added = [
        solvers.feature_learning.gradient_flow(
            when, task, richness=1, features=size
        ).test_loss
        for size in (width, np.inf)
    ]
    excess = added[0] - added[1]
    slope = np.log(excess[1] / excess[0]) / 2 / np.log(0.95)
    values = {"alpha": 1.5, "beta": beta}
    printed = extra.published.expr.subs(
        {symbol: values[symbol.name] for symbol in extra.published.expr.free_symbols}
    )
    print(
        f"beta = {beta}: exponent {slope:.3f}, derived {float(extra(**values)):.3f}, "
        f"printed elsewhere {float(printed):.3f}"
    )
