# SPDX-License-Identifier: Apache-2.0
"""What the networks are held to: TF-IDF and a linear classifier, as text-books have it.

The weights are scikit-learn's (`TfidfVectorizer` with sublinear counts, `LinearSVC` with C = 1,
`LogisticRegression`), computed here with scipy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Tokens = Sequence[str]


class TfIdf:
    """Counts of terms, damped, weighted by how rare a term is, each text at unit length.

    Args:
        texts: Terms of the texts to learn from.
    """

    def __init__(self, texts: Sequence[Tokens]) -> None:
        frequency = Counter(term for terms in texts for term in dict.fromkeys(terms))
        self._column = {term: column for column, term in enumerate(frequency)}
        counts = np.array(list(frequency.values()), dtype=float)
        self._rarity = np.log((1 + len(texts)) / (1 + counts)) + 1

    def matrix(self, texts: Sequence[Tokens]) -> Any:
        """Return a sparse matrix, texts × terms; terms never learned from are left out."""
        values, columns, starts = [], [], [0]
        for terms in texts:
            known = Counter(self._column[term] for term in terms if term in self._column)
            places = np.fromiter(known.keys(), dtype=np.int64, count=len(known))
            weights = 1 + np.log(np.fromiter(known.values(), dtype=float, count=len(known)))
            weights = weights * self._rarity[places]
            values.append(weights / max(float(np.linalg.norm(weights)), 1e-12))
            columns.append(places)
            starts.append(starts[-1] + len(places))
        return csr_matrix(
            (np.concatenate(values), np.concatenate(columns), starts),
            shape=(len(texts), len(self._column)),
        )


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """One score for each class, or one for two classes.

    Attributes:
        weights: Classes × terms.
        offsets: Of each class.
    """

    weights: NDArray[np.float64]
    offsets: NDArray[np.float64]

    def classes(self, matrix: Any) -> NDArray[np.int64]:
        """Return the class of each row."""
        scores = np.asarray(matrix @ self.weights.T) + self.offsets
        if len(self.offsets) == 1:
            return np.asarray(scores[:, 0] > 0, dtype=np.int64)
        return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def fit_linear(
    matrix: Any, classes: NDArray[np.int64], loss: Literal["hinge", "logistic"], strength: float
) -> LinearClassifier:
    """Fit one class against the others, for each class; two classes need one score.

    Args:
        matrix: Texts × terms.
        classes: Of the texts, from 0.
        loss: The squared hinge of a support vector machine, or the logistic one.
        strength: C: how much the losses weigh against half the squared length of the weights.
    """
    count = int(classes.max()) + 1
    wanted = [1] if count == 2 else range(count)
    found = [_fit_one(matrix, np.where(classes == c, 1.0, -1.0), loss, strength) for c in wanted]
    return LinearClassifier(np.array([w[:-1] for w in found]), np.array([w[-1] for w in found]))


def _fit_one(
    matrix: Any, signs: NDArray[np.float64], loss: str, strength: float
) -> NDArray[np.float64]:
    def objective(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (matrix @ weights[:-1] + weights[-1])
        if loss == "hinge":
            short = np.maximum(1 - margins, 0)
            value, slopes = float(short @ short), -2 * short
            # As in liblinear, the offset is a weight like the others.
            shrunk = weights
        else:
            value = float(np.logaddexp(0, -margins).sum())
            slopes = -np.exp(-np.logaddexp(0, margins))
            shrunk = np.append(weights[:-1], 0.0)
        slopes = strength * slopes * signs
        gradient = np.append(matrix.T @ slopes, slopes.sum()) + shrunk
        return strength * value + 0.5 * float(shrunk @ shrunk), gradient

    start = np.zeros(matrix.shape[1] + 1)
    options = {"maxiter": 500, "gtol": 1e-4, "ftol": 1e-10}
    result = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    return np.asarray(result.x)
