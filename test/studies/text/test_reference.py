# SPDX-License-Identifier: Apache-2.0
"""TF-IDF by hand, and the linear classifiers against a search of another kind."""

import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from stn_perception.studies.text.reference import TfIdf, fit_linear


def test_weights_are_those_worked_out_by_hand() -> None:
    terms = TfIdf([["a", "a", "b"], ["b", "c"]])
    found = terms.matrix([["a", "a", "b", "unheard"]]).toarray()[0]
    a, b = (1 + math.log(2)) * (math.log(3 / 2) + 1), 1.0
    assert np.allclose(found, np.array([a, b, 0]) / math.hypot(a, b))


@pytest.mark.parametrize("loss", ["hinge", "logistic"])
def test_the_classifier_is_the_minimum_of_its_objective(loss: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3))
    classes = (points @ [1.0, -2.0, 0.5] + rng.normal(size=60) > 0).astype(np.int64)
    found = fit_linear(csr_matrix(points), classes, loss, 0.7)
    # The same objective, by Newton steps of another library in double precision.
    weights = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    x, signs = torch.from_numpy(points), torch.from_numpy(2.0 * classes - 1)
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        margins = signs * (x @ weights[:3] + weights[3])
        if loss == "hinge":
            value = 0.7 * (1 - margins).clamp(min=0).square().sum() + 0.5 * weights.square().sum()
        else:
            value = 0.7 * torch.nn.functional.softplus(-margins).sum()
            value = value + 0.5 * weights[:3].square().sum()
        value.backward()
        return value

    optimizer.step(closure)
    assert np.allclose(found.weights[0], weights[:3].detach().numpy(), atol=2e-3)
    assert found.offsets[0] == pytest.approx(weights[3].item(), abs=2e-3)


def test_several_classes_are_told_apart() -> None:
    corners = np.repeat(np.eye(3), 20, axis=0) + 0.1
    classes = np.repeat([0, 1, 2], 20)
    fitted = fit_linear(csr_matrix(corners), classes, "hinge", 1.0)
    assert fitted.classes(csr_matrix(np.eye(3))).tolist() == [0, 1, 2]
