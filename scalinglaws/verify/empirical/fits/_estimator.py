"""Laws as estimators in the manner of scikit-learn, which need not be installed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....arguments import flag, numbers
from ....errors import DataError, refusal, unknown_name
from ._fit import Points, fit
from ._laws import fit_law
from ._record import Bounds, Fit

Array = NDArray[np.float64]


class LawEstimator:
    """A law that is fitted to a table of its variables and to losses; `estimator` makes it.

    Parameters
    ----------
    law : str
        Name of a law, or an expression.
    delta, envelope, bounds, fixed, bootstrap, rng
        As for `fit`; no resamples by default.

    Attributes
    ----------
    fit_ : Fit
        The fit, once there is one.
    parameters_ : dict of str to float
        Its parameters.
    n_features_in_ : int
        Number of variables.
    feature_names_in_ : ndarray of str
        Their names, in the order in which an array without names has its columns.
    """

    _estimator_type = "regressor"  # before scikit-learn 1.6

    def __init__(
        self,
        law: str = "surface",
        *,
        delta: float | None = None,
        envelope: float | None = None,
        bounds: Bounds | None = None,
        fixed: Mapping[str, float] | None = None,
        bootstrap: int = 0,
        rng: int = 0,
    ) -> None:
        self.law = law
        self.delta = delta
        self.envelope = envelope
        self.bounds = bounds
        self.fixed = fixed
        self.bootstrap = bootstrap
        self.rng = rng

    def __repr__(self) -> str:
        defaults = {name: entry.default for name, entry in _arguments().items()}
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if name == "law" or value is not defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the law.

        Parameters
        ----------
        X : data frame, mapping or array_like, shape (n, variables)
            Columns named by the law's variables; an array without names has them in the order of `feature_names_in_`: N before D.
        y : array_like, shape (n,)
            Losses, > 0.
        sample_weight : array_like, shape (n,), optional
            How much each point counts.

        Returns
        -------
        LawEstimator
            This one.
        """
        law = fit_law(self.law, self.bounds)
        losses = numbers("y", y, low=0, strict=True)
        columns = _columns(X, law.variables)
        for name, column in columns.items():
            if column.shape != losses.shape:
                raise refusal(
                    "y",
                    losses.shape,
                    f"must have a loss for each {name}: {column.shape}",
                    shown=False,
                )
        self.fit_: Fit = fit(
            self.law,
            Points(columns, losses, None),
            delta=self.delta,
            weights=sample_weight,
            envelope=self.envelope,
            bounds=self.bounds,
            fixed=self.fixed,
            bootstrap=self.bootstrap,
            rng=self.rng,
        )
        self.parameters_ = self.fit_.parameters
        self.n_features_in_ = len(law.variables)
        self.feature_names_in_ = np.array(law.variables, dtype=object)
        return self

    def predict(self, X: Any) -> Array:
        """Predict losses.

        Parameters
        ----------
        X : data frame, mapping or array_like, shape (m, variables)
            As for `fit`.

        Returns
        -------
        ndarray, shape (m,)
            Values of the law.
        """
        if not self.__sklearn_is_fitted__():
            raise DataError("the estimator is not fitted yet: call fit(X, y) first")
        names = tuple(map(str, self.feature_names_in_))
        columns = _columns(X, names)
        if (
            self.fit_.model.variables != names
        ):  # a perceptron is fitted as another law of one variable
            columns = dict(zip(self.fit_.model.variables, columns.values(), strict=True))
        return np.asarray(np.exp(self.fit_.model.predict(self.fit_.x, columns)))

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        r"""Return minus the root mean square of the errors in :math:`\ln L`: the larger, the better.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        float
            At most 0.
        """
        error = np.log(numbers("y", y, low=0, strict=True)) - np.log(self.predict(X))
        counted = None if sample_weight is None else numbers("sample_weight", sample_weight, low=0)
        return -float(np.sqrt(np.average(error**2, weights=counted)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments it was made with.

        Parameters
        ----------
        deep : bool
            Makes no difference: there are no estimators inside.

        Returns
        -------
        dict
            By name.
        """
        flag("deep", deep)
        return {name: getattr(self, name) for name in _arguments()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments.

        Parameters
        ----------
        **params
            By name.

        Returns
        -------
        LawEstimator
            This one.
        """
        for name in params:
            if name not in _arguments():
                raise unknown_name("parameter", name, _arguments())
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "fit_")

    def __sklearn_tags__(self) -> Any:
        utils = import_module("sklearn.utils")  # only scikit-learn asks
        return utils.Tags(
            estimator_type="regressor",
            target_tags=utils.TargetTags(required=True, positive_only=True),
            regressor_tags=utils.RegressorTags(),
            input_tags=utils.InputTags(positive_only=True),
        )


def estimator(law: str = "surface", **options: Any) -> LawEstimator:
    r"""Return a law in the manner of scikit-learn: `fit`, `predict`, `score`, `get_params`, `set_params`.

    It works in scikit-learn's ``clone``, ``GridSearchCV`` and ``cross_val_score``, and without scikit-learn. Its score is minus the
    root mean square error in :math:`\ln L`.

    Parameters
    ----------
    law : str
        Name of a law, or an expression.
    **options
        ``delta``, ``envelope``, ``bounds``, ``fixed``, ``bootstrap`` and ``rng`` of `fit`; ``bootstrap`` is 0 by default.

    Returns
    -------
    LawEstimator
        Not fitted yet.

    Raises
    ------
    DomainError
        If there is no such law or option.

    Examples
    --------
    >>> N, D = np.meshgrid(np.geomspace(1e8, 1e10, 4), np.geomspace(1e9, 1e11, 4))
    >>> X = np.column_stack([N.ravel(), D.ravel()])
    >>> y = 1.8 + 480 / X[:, 0] ** 0.35 + 2000 / X[:, 1] ** 0.37
    >>> fitted = estimator("surface").fit(X, y)
    >>> fitted.predict([[7e10, 1.4e12]]).round(4)
    array([1.9409])
    >>> estimator("surface", delta=1e-3).get_params()["delta"]
    0.001
    """
    for name in options:
        if name not in _arguments():
            raise unknown_name("option", name, _arguments())
    fit_law(law, options.get("bounds"))
    return LawEstimator(law, **options)


def _arguments() -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(LawEstimator).parameters)


def _columns(X: Any, names: tuple[str, ...]) -> dict[str, Array]:
    """Return the variables of a table, by name where it has names, else by place."""
    held = getattr(X, "column_names", getattr(X, "columns", None))
    if held is None and hasattr(X, "keys"):
        held = X.keys()
    if held is not None:
        missing = [name for name in names if name not in list(held)]
        if missing:
            raise refusal(
                "X",
                None,
                f"has no column {', '.join(missing)}; there are {', '.join(map(str, held))}",
                shown=False,
            )
        return {
            name: numbers(name, np.asarray(X[name]), low=0, strict=True).ravel() for name in names
        }
    table = numbers("X", X, low=0, strict=True)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise refusal(
            "X", table.shape, f"must have {len(names)} columns, {', '.join(names)}", shown=False
        )
    return dict(zip(names, table.T.copy(), strict=True))
