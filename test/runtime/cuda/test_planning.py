# SPDX-License-Identifier: Apache-2.0
"""The plan made on the device is the plan that every back end follows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stn_perception.runtime.sampling_plan import sampling_plan
from stn_perception.runtime.view_coverage import valid_fraction

from .scenes import folding, picture, quad_view, shifted

FRAME, VIEW = (120, 90), (24, 18)
SEEN = {
    "finer than the frame": quad_view(FRAME, VIEW, 0.1, seed=1),
    "coarser": quad_view(FRAME, VIEW, 0.6, seed=2),
    "over the frame's edge": quad_view(FRAME, VIEW, 0.5, seed=3, shift=0.4),
    "around the whole frame": quad_view(FRAME, VIEW, 2.5, seed=4),
    "a hundred frames wide": quad_view(FRAME, VIEW, 100.0, seed=4),
    "partly behind the camera": folding(),
    "the frame's own pixels": shifted(0, 0),
}
UNSEEN = {
    "beside the frame": shifted(500, 0),
    "behind the camera": -shifted(30, 30),
    "not a number": np.full((3, 3), np.nan),
    "infinite": np.full((3, 3), np.inf),
    "nothing": np.zeros((3, 3)),
}


@pytest.fixture(scope="module")
def planned(device: torch.device) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The rows of the exact and the float table by case."""
    from stn_perception.runtime.cuda import launches
    from stn_perception.runtime.cuda.frame_table import frame_table
    from stn_perception.runtime.cuda.plans import Plans

    cases = SEEN | UNSEEN
    pixels = torch.from_numpy(picture(*FRAME).pixels).to(device)
    plans = Plans.empty(len(cases), device)
    plans.matrices.copy_(torch.from_numpy(np.stack(list(cases.values()))))
    launches.plan(frame_table([(pixels, "rgb")], device), plans, *VIEW)
    rows = zip(plans.exact.cpu().numpy(), plans.floats.cpu().numpy(), strict=True)
    return dict(zip(cases, rows, strict=True))


@pytest.mark.parametrize("case", SEEN)
def test_part_cells_and_valid_fraction_are_those_of_the_host(
    planned: dict[str, tuple[np.ndarray, np.ndarray]], case: str
) -> None:
    exact, floats = planned[case]
    plan = sampling_plan(SEEN[case], *VIEW, *FRAME, True)
    assert plan is not None
    assert exact[19] == 1
    np.testing.assert_array_equal(exact[:9].reshape(3, 3), SEEN[case])
    np.testing.assert_array_equal(exact[17:19], [plan.left, plan.top])
    cells = [plan.width / plan.reduced_width, plan.height / plan.reduced_height]
    np.testing.assert_allclose(floats[9:11], cells, rtol=1e-6)
    assert exact[9] == pytest.approx(valid_fraction(SEEN[case], *VIEW, *FRAME), abs=1e-12)


@pytest.mark.parametrize("case", UNSEEN)
def test_a_view_of_nothing_is_planned_as_such(
    planned: dict[str, tuple[np.ndarray, np.ndarray]], case: str
) -> None:
    exact, floats = planned[case]
    assert exact[19] == 0
    assert exact[9] == 0
    assert np.isfinite(exact).all()
    assert np.isfinite(floats).all()


def test_the_sign_that_puts_the_center_in_front_is_chosen(device: torch.device) -> None:
    from stn_perception.runtime.cuda import launches
    from stn_perception.runtime.cuda.frame_table import frame_table
    from stn_perception.runtime.cuda.plans import Plans

    pixels = torch.from_numpy(picture(*FRAME).pixels).to(device)
    plans = Plans.empty(1, device)
    plans.matrices.copy_(torch.from_numpy(-SEEN["coarser"]))
    launches.plan(frame_table([(pixels, "rgb")], device), plans, *VIEW, orient=True)
    np.testing.assert_array_equal(plans.frame_from_view[0].cpu(), SEEN["coarser"])
    assert float(plans.valid_fraction[0]) == 1.0
