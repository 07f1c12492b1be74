# SPDX-License-Identifier: Apache-2.0
"""Both rows have the same size; an untrained transformer shows the middle of the picture."""

import pytest
import torch

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.networks import build
from stn_perception.studies.digits.digit_host import DigitHost
from stn_perception.studies.digits.heatmap_localization import HeatmapLocalization
from stn_perception.studies.learning.lesson import parameter_count


def test_both_rows_have_the_same_number_of_parameters() -> None:
    plain, with_transformer = (parameter_count(build(row)) for row in ("cnn", "st-cnn"))
    assert plain == pytest.approx(with_transformer, rel=0.02)


def test_an_untrained_view_is_the_middle_pixel_by_pixel() -> None:
    transformer = next(m for m in build("st-cnn").modules() if isinstance(m, SpatialTransformer))
    pictures = torch.rand(3, 1, 60, 60)
    torch.testing.assert_close(
        transformer.eval()(pictures), pictures[..., 16:44, 16:44], atol=1e-4, rtol=0
    )


def test_the_view_lies_where_the_heat_is() -> None:
    localization = HeatmapLocalization(1, (4, 4), 0.5).eval()
    hot = torch.zeros(1, 4, 15, 15)
    # Row 3, column 11 of 15 cells: 11.5 and 3.5 cells from the edges, where the whole is 2.
    hot[0, 0, 3, 11] = 1
    localization.features = torch.nn.Identity()
    with torch.no_grad():
        localization.last.weight[0, 0] = 60
        theta = localization(hot)[0]
    expected = torch.tensor([[0.5, 0, 23 / 15 - 1], [0, 0.5, 7 / 15 - 1]])
    torch.testing.assert_close(theta, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("side_px", [24, 28, 61])
def test_a_host_takes_any_size_and_answers_in_the_pictures_precision(side_px: int) -> None:
    host = DigitHost(2, (8, 16), (2, 2), 5)
    for mode in (True, False):
        numbers = host.train(mode)(torch.rand(4, 2, side_px, side_px))
        assert numbers.shape == (4, 5)
        assert numbers.dtype == torch.float32
