# SPDX-License-Identifier: Apache-2.0
"""Every row is a network of the same size that passes its input through to begin with."""

import pytest
import torch
from torch.nn import functional

from stn_perception.studies.digits.distortion import SIDE_PX
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.mnist.hosts import ConvolutionalHost, host_of_size
from stn_perception.studies.mnist.networks import PARAMETERS, VIEW_PX, digit_network
from stn_perception.studies.mnist.rows import ROWS, networks_of


@pytest.fixture(scope="module")
def sizes() -> dict[str, int]:
    return {name: parameter_count(digit_network(row)) for name, row in ROWS.items()}


def test_there_are_eight_networks_on_four_distortions() -> None:
    assert len(ROWS) == 32
    assert networks_of(list(ROWS)) == [
        *("fcn", "st-fcn-affine", "st-fcn-projective", "st-fcn-tps"),
        *("cnn", "st-cnn-affine", "st-cnn-projective", "st-cnn-tps"),
    ]


def test_no_network_has_more_than_400000_parameters(sizes: dict[str, int]) -> None:
    assert max(sizes.values()) <= PARAMETERS <= 400_000


def test_with_and_without_transformer_they_are_of_one_size(sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        row = ROWS[name]
        assert size == pytest.approx(sizes[f"{row.host}-{row.kind.lower()}"], rel=0.02)


@pytest.mark.parametrize("name", ["st-cnn-affine-rts", "st-fcn-projective-r", "st-cnn-tps-e"])
def test_an_untrained_transformer_shows_the_whole_picture(name: str) -> None:
    network = digit_network(ROWS[name]).eval()
    side = SIDE_PX[ROWS[name].kind]
    images = torch.rand(3, 1, side, side)
    expected = functional.interpolate(
        images, (VIEW_PX, VIEW_PX), mode="bilinear", align_corners=False
    )
    torch.testing.assert_close(network.seen(images), expected, atol=1e-4, rtol=0)


def test_without_a_transformer_the_host_sees_the_picture_itself() -> None:
    network = digit_network(ROWS["cnn-rts"]).eval()
    images = torch.rand(2, 1, 42, 42)
    assert network.seen(images) is images
    assert network(images).shape == (2, 10)
    with pytest.raises(ValueError, match="has no transformer"):
        network.canonicalize(images)


def test_a_host_is_as_wide_as_its_parameters_allow() -> None:
    host = host_of_size("cnn", 28, 200_000)
    assert isinstance(host, ConvolutionalHost)
    width = host.last.in_features // 9
    assert parameter_count(host) <= 200_000 < parameter_count(ConvolutionalHost(width + 8))
    with pytest.raises(ValueError, match="no cnn has at most 1000 parameters"):
        host_of_size("cnn", 28, 1000)
