r"""Kernel functions of inputs.

What the kernel of a network of infinite width is depends on what is trained: `relu_nngp` and `erf_nngp` are covariances of random
outputs, the kernels of Bayesian networks and of trained last layers; `relu_ntk` and `erf_ntk` are tangent kernels, with which all
layers learn together while features stand still. `linear_kernel`, `rbf_kernel` and `laplace_kernel` are what they are compared
with. `kernel_matrix` calls all of them by name. `circle_kernel` is the tangent kernel of two layers on the circle, where
`circle_eigenvalues` are known.

Examples
--------
>>> inputs = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
>>> print(kernel_matrix("relu_ntk", inputs, depth=1).round(4))
[[2.     0.3183 1.8183]
 [0.3183 2.     1.8183]
 [1.8183 1.8183 4.    ]]
"""

from ._circle import arc_cosine, circle_eigenvalues, circle_kernel
from ._distances import laplace_kernel, linear_kernel, median_distance, rbf_kernel
from ._named import KERNELS, kernel_matrix, kernel_options
from ._networks import erf_nngp, erf_ntk, relu_nngp, relu_ntk

__all__ = [
    "KERNELS",
    "arc_cosine",
    "circle_eigenvalues",
    "circle_kernel",
    "erf_nngp",
    "erf_ntk",
    "kernel_matrix",
    "kernel_options",
    "laplace_kernel",
    "linear_kernel",
    "median_distance",
    "rbf_kernel",
    "relu_nngp",
    "relu_ntk",
]
