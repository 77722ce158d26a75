r"""
Losses on simulated clusters
============================

Model and data scaling of simulated datasets, on a theory that knows the sizes of the
clusters and how much their targets vary, and has nothing left to fit.
"""

# %%
# Ideal clusters
# --------------
# Infinitely many clusters of weights 1/k^2. Local exponents approach the derived ones;
# where both limits meet, the logarithm is part of the slope.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.solvers.percolation import data_loss, data_loss_expansion
from scalinglaws.verify.plots.percolation import dataset_losses, loss_curves
from scalinglaws.verify.simulate import percolation as simulate

for samples in (1e2, 1e4, 1e8, 1e12):
    exact = data_loss(samples, alpha=1, exponent=0.5).loss
    expanded = data_loss_expansion(samples, alpha=1, exponent=0.5).loss
    print(f"P = {samples:.0e}: loss {exact:.6e}, expansion {expanded / exact - 1:+.1e}")
figure = loss_curves(figure=plt.figure(figsize=(10.8, 6), layout="constrained"))

# %%
# Simulated clusters
# ------------------
# Six datasets of a hundred trees. The learner predicts from the nearest training site;
# the theory knows how far it is.

datasets = [
    simulate.bethe_dataset(100, smallest=1000, largest=10**6, rng=seed)
    for seed in range(6)
]
sites = [int(data.sizes.sum()) for data in datasets]
print(f"{min(sites)} to {max(sites)} sites in a dataset")
figure = dataset_losses(
    datasets,
    units=np.unique(np.geomspace(30, 1e4, 8).astype(int)),
    samples=np.unique(np.geomspace(100, 3e4, 8).astype(int)),
    rng=1,
    figure=plt.figure(figsize=(10.4, 5.6), layout="constrained"),
)
for words, axis in zip(("model", "data"), figure.axes[2:], strict=True):
    (marks,) = (line for line in axis.get_lines() if line.get_gid() == "simulation")
    print(words, "median deviation:", np.round(marks.get_ydata(), 3))
