r"""
Data made of clusters
=====================

Sites of a lattice are occupied at random. At the threshold there are clusters of all
sizes; each one is something to be learned.
"""

# %%
# On a lattice
# ------------
# The square lattice at its threshold, which the theory's table knows. The largest
# clusters have colors; opposite edges are neighbors.

import matplotlib.pyplot as plt
import numpy as np
from scalinglaws.theory.percolation import critical_exponents, critical_threshold
from scalinglaws.verify.plots.percolation import cluster_tree, lattice_slice
from scalinglaws.verify.simulate import percolation as simulate

threshold = critical_threshold(2)
print(f"threshold of the square lattice: {threshold}")
shown = simulate.lattice_clusters((400, 400), float(threshold), labels=True, rng=5)
print(f"{shown.count} clusters, the largest has {shown.largest} sites")
figure = lattice_slice(shown, figure=plt.figure(figsize=(8.4, 6), layout="constrained"))

# %%
# Two ways to count
# -----------------
# If every cluster counts once, sizes fall slowly with the rank, and all weight is in
# the small ones. If each cluster is that of a random site, large ones come up more
# often: sizes fall as a power with an exponent above 1, Zipf's law. It magnifies what
# small clusters add to a power: 3.37 is tau = 2.297, where 2.314 is known.

samples = simulate.sample_lattices(
    64, 4, occupation=float(critical_threshold(4)), samples=12, roots=100_000, rng=1
)
known = critical_exponents(4)
for ensemble, exponent in (
    ("lattice", float(known.rank_ratio)),
    ("site_rooted", 1 + float(known.alpha)),
):
    found = simulate.rank_exponent(samples, ensemble=ensemble)
    print(
        f"d = 4, {ensemble}: sizes fall as k^-{found.value:.3f} "
        f"(+- {found.standard_error:.3f}), expected {exponent:.3f}"
    )

# %%
# A cluster with a target
# -----------------------
# On the Bethe lattice clusters are trees. From a site to its neighbor the target
# changes by a standard normal step, so that near sites have similar values.

data = simulate.bethe_dataset(40, smallest=1000, largest=30_000, rng=3)
print(f"sizes {data.sizes[:4]}, variances {np.round(data.raw_variance[:4], 1)}")
figure = cluster_tree(
    data, rank=1, figure=plt.figure(figsize=(7.4, 6.4), layout="constrained")
)
