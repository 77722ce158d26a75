r"""
What a feature costs
====================

Minus the logarithm of the probability that a random network is aligned with a cubic
target is the cost of learning it. Here it is computed with all prefactors, and without
assuming a pattern.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# Cost against scale
# ------------------
# Width and input dimension grow together. Patterns cost what their closed forms say;
# mean-field theory minimizes over all laws of the weights; importance sampling knows
# neither and measures probabilities down to exp(-3000).

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers import patterns
from scalinglaws.verify.plots.patterns import cost_curves, weight_configuration

measured = [
    patterns.log_alignment(d, d, samples=4000, rng=d)
    for d in (10, 20, 40, 80, 160, 320)
]
print("  d   specialized  Gaussian  mean field   sampled")
for found in measured:
    d = found.d
    costs = (
        patterns.specialized_cost(d, d).cost,
        patterns.gaussian_cost(d, d).cost,
        patterns.alignment_rate(d, d).rate,
    )
    row = "  ".join(f"{cost:9.1f}" for cost in costs)
    error = found.standard_error
    print(f"{d:4.0f} {row}  {-found.log_probability:9.2f} +- {error:.2f}")

# %%
# On the right the local slopes creep towards the engine's exponents: at once for
# specialization, slowly for the others.

figure = cost_curves(
    np.geomspace(10, 3200, 15).round(),
    measured=measured,
    figure=plt.figure(figsize=(10.4, 4.4), layout="constrained"),
)

# %%
# The weights
# -----------
# Thirty optimizations over all hundred weights, from random starts. The cheapest
# configuration has exactly three neurons at the square root of 3, the rest at zero: three
# in this network, whose overlap lacks the constants of the error function, and for the
# target He_3/sqrt(6) with them; it would be one for He_3 at an alignment of 1.

found = patterns.optimize_configuration(100, 100, rng=0)
print(f"cost {found.cost:.6f}, specialized neurons {found.specialized}", end="")
print(f", largest weights {found.weights[:4].round(6)}")

sampled = patterns.log_alignment(100, 100, rng=0)
print(f"sampled: {sampled.specialized:.3f} specialized neurons on average")
figure = weight_configuration(
    found,
    100,
    sampled=sampled,
    figure=plt.figure(figsize=(10.4, 4.8), layout="constrained"),
)
