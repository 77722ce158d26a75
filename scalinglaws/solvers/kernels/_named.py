"""Kernels by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import known_name, refusal
from ._distances import laplace_kernel, linear_kernel, rbf_kernel
from ._networks import erf_nngp, erf_ntk, relu_nngp, relu_ntk

KERNELS: Mapping[str, Callable[..., NDArray[np.float64]]] = MappingProxyType(
    {
        "linear": linear_kernel,
        "rbf": rbf_kernel,
        "laplace": laplace_kernel,
        "relu_nngp": relu_nngp,
        "relu_ntk": relu_ntk,
        "erf_nngp": erf_nngp,
        "erf_ntk": erf_ntk,
    }
)
"""Kernels of inputs by name: functions of `x`, `z` and options."""


def kernel_options(name: str) -> tuple[str, ...]:
    """List the options of a kernel.

    Parameters
    ----------
    name : str
        One of `KERNELS`.

    Returns
    -------
    tuple of str
        Names of keyword arguments.

    Raises
    ------
    DomainError
        If there is no such kernel.

    Examples
    --------
    >>> kernel_options("rbf"), kernel_options("erf_ntk")
    (('length',), ('depth', 'weight_variance', 'bias_variance'))
    """
    parameters = inspect.signature(KERNELS[known_name("kernel", name, KERNELS)]).parameters
    return tuple(p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY)


def kernel_matrix(
    name: str, x: ArrayLike, z: ArrayLike | None = None, **options: Any
) -> NDArray[np.float64]:
    """Compute the matrix of a kernel that is called by name.

    Parameters
    ----------
    name : str
        One of `KERNELS`: linear, rbf, laplace, relu_nngp, relu_ntk, erf_nngp, erf_ntk.
    x : array_like, shape (n, d)
        Inputs, one in each row.
    z : array_like, shape (m, d), optional
        Other inputs; by default `x`.
    **options
        As the function of the kernel takes them: `length` of rbf and laplace; `depth`, `weight_variance` and `bias_variance` of
        those of networks, of which `depth` must be given.

    Returns
    -------
    ndarray, shape (n, m)
        The kernel.

    Raises
    ------
    DomainError
        If there is no such kernel, it has no such option or lacks one, or it refuses an argument.
    ResourceError
        If the memory budget does not hold the result.

    Examples
    --------
    >>> print(kernel_matrix("erf_ntk", [[1.0, 0.0], [0.0, 1.0]], depth=1).round(6))
    [[2.067938 0.      ]
     [0.       2.067938]]
    """
    known = kernel_options(name)
    for option in options:
        if option not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise refusal(option, options[option], f"is no option of the kernel {name}: {takes}")
    if "depth" in known and "depth" not in options:
        raise refusal("depth", None, f"must be given for {name}: its hidden layers", shown=False)
    return KERNELS[name](x, z, **options)
