r"""
Seven phases
============

How fast the loss of the lazy linear model falls with compute depends on the task. The
plane of a task's two exponents splits into seven phases, each with its own formula.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Theory
# ------
# The best loss at fixed compute C falls as :math:`C^{-g}`. Which formula holds for
# :math:`g` is a property of the law; so are the boundaries between the phases.

from fractions import Fraction

from scalinglaws import SourceCapacity, theory

law = theory.law("linear.compute")
for regime in law.regimes:
    kind = "on the line" if regime.on_boundary else "if"
    print(f"{regime.name:20} g = {regime.exponent}   {kind} {regime.condition}")

# %%
# Two tasks with the same spectrum: one whose target is rough, and a smoother one.

tasks = {
    "rough": SourceCapacity(alpha=Fraction(3, 2), beta=Fraction(2, 3)),
    "smooth": SourceCapacity(alpha=Fraction(3, 2), beta=2),
}
for name, task in tasks.items():
    values = {"alpha": task.alpha, "beta": task.beta}
    print(f"{name}: phase {law.regime(**values)}, exponent {law(**values)}")

# %%
# The picture
# -----------
# In the notation of the 4+3 phases (Paquette et al.) most boundaries are straight. The
# sliver IVb ends at :math:`2 \alpha_P = 2 - \sqrt 2`. There is no power law where the
# signal has infinite power.

import matplotlib.pyplot as plt
from scalinglaws.verify.plots.linear import phase_diagram

figure = phase_diagram(
    notation="paquette",
    tasks=tasks,
    figure=plt.figure(figsize=(7.8, 4.9), layout="constrained"),
)

# %%
# The same in the notation of this package, capacity and source:

figure = phase_diagram(
    tasks=tasks, figure=plt.figure(figsize=(7.8, 4.9), layout="constrained")
)
