r"""
Which layer learns the feature?
===============================

A network with two hidden layers must learn a cubic function of one direction among d.
Each layer may stay lazy, specialize one neuron or many, or inflate all of them. Each
choice has a cost in samples; which one is the cheapest depends on the widths. All of
this is heuristic: exponents only.
"""

# %%
# One network
# -----------
# Widths are powers of the input dimension d. The costs are sums of monomials, minimized
# over the amplitude u of one specialized neuron, or the number M of those of amplitude
# one, and the inflation beta.

from scalinglaws.theory import patterns

wide = patterns.fully_connected([2, 2], degree=3)
found = patterns.sample_complexity(wide)
print(found)
for entry in found.ranking[:6]:
    powers = {str(name): str(power) for name, power in entry.parameters.items()}
    print(f"{entry!s:12} d^{entry.exponent!s:4} {entry.cost.expr}   {powers}")

# %%
# All widths at once
# ------------------
# With symbols for the widths the answer is a map with exact boundaries. If both layers
# are wide only one of them learns, the narrower one; none does beyond d^5. In layers
# narrower than the input a single neuron specializes, in part.

import matplotlib.pyplot as plt
from scalinglaws.verify.plots.patterns import phase_diagram

symbolic = patterns.fully_connected(["n_1", "n_2"], degree=3)
size = {"figsize": (8.4, 5.2), "layout": "constrained"}
near = patterns.phase_diagram(symbolic, {"n_1": (0, 3), "n_2": (0, 3)}, points=2)
figure = phase_diagram(near, marks={"d, d": (1, 1)}, figure=plt.figure(**size))
for line in near.boundaries[-3:]:
    first, second = line.sides
    print(f"{first} | {second} on {line.equation.lhs} = {line.equation.rhs}")

# %%
# Clean features
# --------------
# A feature that is strong enough may still come with more noise than signal. If it must
# not, no neuron specializes in part any more: in narrow networks one does in full.

clean = patterns.phase_diagram(
    symbolic, {"n_1": (0, 3), "n_2": (0, 3)}, points=2, purity=True
)
figure = phase_diagram(clean, figure=plt.figure(**size))
narrow = patterns.fully_connected(["1/2", "1/2"], degree=3)
for purity in (False, True):
    print(f"purity {purity}: {patterns.sample_complexity(narrow, purity=purity)}")
