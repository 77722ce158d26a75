r"""
Dividing a model between clusters
=================================

A model has degrees of freedom to spend, and clusters to spend them on. The optimum is
exact, and learns fewer clusters than the published rule.
"""

# sphinx_gallery_thumbnail_number = 2

# %%
# The optimum
# -----------
# Clusters of weights 1/k^2, each learned as n^-1/2: the case of nearest neighbors in
# six dimensions. No cluster gets less than 2.25 degrees of freedom; below that, it is
# better to give them to the others.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws import theory
from scalinglaws.solvers.percolation import allocate, zipf_model_loss
from scalinglaws.verify.plots.percolation import allocation_by_rank, regime_diagram

weights = np.arange(1, 317.0) ** -2
for n in (30, 100, 300, 1000):
    found = allocate(weights, n, exponents=0.5)
    smallest = found.allocation[found.included - 1]
    print(
        f"n = {n}: loss {found.loss:.4f} (bound {found.bound:.4f}), "
        f"{found.included} clusters learned, the last by {smallest:.3f}"
    )

wide = {"figsize": (10.8, 4.4), "layout": "constrained"}
figure = allocation_by_rank(1000, alpha=1, exponent=0.5, figure=plt.figure(**wide))

# %%
# Two rules for the break
# -----------------------
# The published rule stops where a cluster would get one degree of freedom, and replaces
# sums over ranks by integrals. The optimum is flat, so that this costs little for a
# model that ignores it; but the predicted loss is another one.

law = theory.law("percolation.model")
for beta in (0.5, 1, 1.5):
    exact = zipf_model_loss(1000, alpha=1, exponent=beta)
    printed = {
        name: float(law.evaluate(f"published_{name}", alpha=1, beta=beta, n=1000))
        for name in ("break_rank", "loss")
    }
    print(
        f"beta = {beta}: exact rank {exact.break_rank:.0f}, loss {exact.loss:.6f}; "
        f"published {printed['break_rank']:.1f}, {printed['loss']:.6f}"
    )

# %%
# Which limit comes first
# -----------------------
# Either clusters are too many, or each is too rough. The dimension of the lattice fixes
# both exponents, and with them the law.

figure = regime_diagram(figure=plt.figure(figsize=(13, 4.6), layout="constrained"))
