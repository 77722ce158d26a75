r"""Deterministic equivalents that theories share.

They are means over draws of features and samples, as functions of the spectrum alone. With N
features and P samples a mode of variance :math:`\lambda_k` is learned by the part
:math:`\lambda_k/(\lambda_k + \kappa)`. The renormalized ridge :math:`\kappa` solves
:math:`r = \kappa R_1 R_3`, :math:`R_1 = 1 - \mathrm{df}_1/P`, :math:`R_3 = 1 - \mathrm{df}_1/N`;
time enters through complex r.

* `kappa`: the equation at real and at complex ridge; `spectral_sums`: kappa and degrees of freedom
  of whole spectra.
* `response`: transforms of losses at one and at two Laplace variables; `contour`: where they are
  inverted; `inversion`: the sums that do it.
* `elliptic`: complex nodes for sums over the modes of the projected covariance; `real_nodes`:
  real ones.
* `losses`: losses with their errors, and their judgment; `rates`: what is left of each mode.
* `tails`: losses that fall exponentially, on a contour around the slowest mode; `edges`: where
  that is, and the upper edge.
* `macro_steps`: many steps at once, by collocation of difference equations.
* `noise_cells`: noise that fades as a power, summed over all steps.
* `search`: the best split of a budget, for any loss.

Modules take checked arguments; a theory's public functions check theirs.
"""

from . import (
    contour,
    edges,
    elliptic,
    inversion,
    kappa,
    losses,
    macro_steps,
    noise_cells,
    rates,
    real_nodes,
    response,
    search,
    spectral_sums,
    tails,
)

__all__ = [
    "contour",
    "edges",
    "elliptic",
    "inversion",
    "kappa",
    "losses",
    "macro_steps",
    "noise_cells",
    "rates",
    "real_nodes",
    "response",
    "search",
    "spectral_sums",
    "tails",
]
