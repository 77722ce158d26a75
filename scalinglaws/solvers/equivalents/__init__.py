r"""Deterministic equivalents that theories share: means over draws of features and samples, as functions of the spectrum alone.

With N features and P samples a mode of variance :math:`\lambda_k` is learned by the part :math:`\lambda_k/(\lambda_k + \kappa)`. The
renormalized ridge :math:`\kappa` solves :math:`r = \kappa R_1 R_3`, :math:`R_1 = 1 - \mathrm{df}_1/P`, :math:`R_3 = 1 - \mathrm{df}_1/N`,
and time enters through complex r.

* `kappa`: the equation, at real and at complex ridge; `spectral_sums`: kappa and degrees of freedom of whole spectra.
* `response`: transforms of losses at one and at two Laplace variables; `contour`: where they are inverted; `inversion`: their sums.
* `losses`: losses with errors, and their judgment; `search`: the best split of a budget, for any loss.

Modules take checked arguments; a theory's public functions check theirs.
"""

from . import contour, inversion, kappa, losses, response, search, spectral_sums

__all__ = [
    "contour",
    "inversion",
    "kappa",
    "losses",
    "response",
    "search",
    "spectral_sums",
]
