"""`AdjacencyClassifier`: the probability that two neighbouring copy words do not fit together.

A scikit-learn estimator over `features.adjacency.adjacency_rows`: a small neural network, since
what makes two contextual vectors follow on one another is not additive.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from detector.features.adjacency import AdjacencyModel, Vectors


class AdjacencyClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Probability that the neighbours of a gap are incoherent: a network of two hidden layers.

    Parameters
    ----------
    hidden : (int, int), default=(96, 32)
        Units of the two layers.
    epochs : int, default=5
        Passes over the rows.
    decay : float, default=0.05
        Weight decay, above 0; larger is smoother.
    random_state : int, default=0
        Seed of the first weights and of the order of the rows.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    weights_ : list of ndarray, float16
        Weights and biases in turn. Half precision moves a probability by less than 1e-3.
    n_features_in_ : int

    Notes
    -----
    Fitted with `sklearn.neural_network.MLPClassifier`, whose optimiser state is dropped.
    """

    def __init__(
        self,
        *,
        hidden: tuple[int, int] = (96, 32),
        epochs: int = 5,
        decay: float = 0.05,
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.epochs = epochs
        self.decay = decay
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the network to `adjacency_rows` and whether each is incoherent."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        rows, labels = validate_data(self, X, y, dtype=np.float32)
        self.classes_, target = np.unique(labels, return_inverse=True)
        if len(self.classes_) != 2:
            msg = f"y holds {len(self.classes_)} class; give rows of two labels"
            raise ValueError(msg)
        network = MLPClassifier(
            self.hidden,
            alpha=self.decay,
            batch_size=min(512, len(rows)),
            learning_rate_init=1e-3,
            max_iter=self.epochs,
            random_state=self.random_state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the number of epochs is fixed
            network.fit(rows, target)
        layers = zip(network.coefs_, network.intercepts_, strict=True)
        self.weights_ = [array.astype(np.float16) for layer in layers for array in layer]
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class, of shape (n_rows, 2), float64."""
        check_is_fitted(self)
        rows: Vectors = validate_data(self, X, reset=False, dtype=np.float32)
        positive = self.predictor()(rows)
        return np.column_stack([1.0 - positive, positive])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier label of every row."""
        chosen: NDArray[Any] = self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(np.intp)]
        return chosen

    def predictor(self) -> AdjacencyModel:
        """Return a function that gives the probability of the second class, without checks.

        It holds the weights in single precision. Widening them costs more than the few rows of a
        sentence, so make it once for a text.
        """
        return partial(_forward, [array.astype(np.float32) for array in self.weights_])


def _forward(weights: Sequence[Vectors], rows: Vectors) -> NDArray[np.float64]:
    out = rows
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        out = np.maximum(out @ weight + bias, 0.0)
    out = out @ weights[-2] + weights[-1]
    return 0.5 * (1.0 + np.tanh(0.5 * out[:, 0].astype(np.float64)))
