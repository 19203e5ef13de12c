"""Fitting the weights of a logistic function, as a model's card keeps them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fit_logistic(
    names: Sequence[str], terms: NDArray[np.float64], right: NDArray[np.bool_], penalty: float
) -> dict[str, float]:
    """Weights by name; all but the first, the intercept, at least 0, so that more evidence never lowers the answer.

    Parameters
    ----------
    names:
        Of the terms, the intercept first.
    terms:
        (N, len(names)) what the weights multiply.
    right:
        (N,) what the function is to tell.
    penalty:
        Of the squared weights, against perfect separation.
    """
    from scipy.optimize import minimize

    signs = np.where(right, 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        score = signs * (terms @ weights)
        value = np.logaddexp(0, -score).mean() + penalty * (weights[1:] @ weights[1:])
        slope = -(terms * (signs / (1 + np.exp(np.clip(score, -50, 50))))[:, None]).mean(0)
        slope[1:] += 2 * penalty * weights[1:]
        return float(value), slope

    bounds = [(-50.0, 50.0)] + [(0.0, 50.0)] * (len(names) - 1)
    found = minimize(loss, np.zeros(len(names)), jac=True, bounds=bounds, method="L-BFGS-B")
    return {name: round(float(weight), 4) for name, weight in zip(names, found.x, strict=True)}
