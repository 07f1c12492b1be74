# SPDX-License-Identifier: Apache-2.0
"""What `stn bench cuda` compares does the same job; times need a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.benchmarks.cuda import command
from stn_perception.benchmarks.cuda.cases import DeviceCase, Output, device_cases
from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.view_coverage import valid_fraction


def small_case(output: Output, scale: float) -> DeviceCase:
    """Three views of two frames."""
    rng = np.random.default_rng(1)
    rough = rng.uniform(0, 255, (2, 6, 8, 3)).repeat(8, axis=1).repeat(8, axis=2)
    smooth = np.stack([np.cumsum(frame, axis=1) % 256 for frame in rough])
    frames = (smooth * 0.2 + 90).astype(np.uint8)
    turned = np.array([[0.9, -0.2, 12.3], [0.2, 0.9, 8.6], [0.0, 0.0, 1.0]])
    turned[:2, :2] *= scale
    moved = np.array([[0, 0, 5], [0, 0, 3], [0, 0, 0]])
    return DeviceCase(
        name="small",
        frames=frames,
        frame_of_view=np.array([0, 0, 1], dtype=np.int32),
        frame_from_view=np.stack([turned, turned + moved, turned]),
        size=16,
        output=output,
        is_large=False,
    )


@pytest.mark.parametrize(("output", "scale"), [("float32", 1.0), ("float16", 1.0), ("uint8", 1.7)])
def test_everyone_takes_the_same_views(device: torch.device, output: Output, scale: float) -> None:
    pytest.importorskip("kornia")
    from stn_perception.benchmarks.cuda.contenders import KORNIA, OURS, OURS_PLAIN, TORCH
    from stn_perception.benchmarks.cuda.contenders import contenders as everyone_of
    from stn_perception.benchmarks.cuda.measure import check_outputs

    case = small_case(output, scale)
    everyone = everyone_of(case, device)
    assert {OURS, OURS_PLAIN, TORCH, KORNIA} <= set(everyone)
    off = check_outputs(case, everyone)
    assert off[OURS] <= 1.13
    shifted = {TORCH: lambda: everyone[TORCH]().roll(4, dims=2)}
    with pytest.raises(ValueError, match="torch is off by"):
        check_outputs(case, shifted)


def test_bytes_are_those_under_the_views_and_those_written() -> None:
    case = small_case("float16", 1.0)
    under = 3 * 16 * 16 * (0.9**2 + 0.2**2)
    assert case.bytes_moved == round(3 * under) + 3 * 16 * 16 * 3 * 2


def test_views_lie_inside_their_frames() -> None:
    for case in device_cases(20):
        frames, height, width, _ = case.frames.shape
        assert case.frame_of_view.max() == frames - 1
        for matrix in case.frame_from_view:
            assert valid_fraction(matrix, case.size, case.size, width, height) == 1.0


class Fixed(nn.Module):
    """The same theta for every crop."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("theta", torch.tensor([[0.8, 0.1, 0.02], [-0.1, 0.8, 0.01]]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).repeat(crops.shape[0], 1, 1)


def test_the_kornia_pipeline_makes_the_views_that_ours_makes(
    device: torch.device, tmp_path: Path
) -> None:
    pytest.importorskip("kornia")
    from stn_perception.benchmarks.cuda.whole_pipeline import KorniaPipeline, ours, scene

    card = ModelCard(
        name="fixed",
        input_width=8,
        input_height=8,
        channels=1,
        view_width=24,
        view_height=24,
        refinement_steps=1,
    )
    save_archive(tmp_path / "fixed.pt", torch.jit.script(Fixed().eval()), card)
    archive = ModelArchive.open(tmp_path / "fixed.pt", device=str(device))
    settings = PipelineSettings()
    what = scene(cameras=2, objects=1, frame_size=(96, 80), box_px=24.0)
    views = ours(archive, settings, what).run_staged(what.boxed, upload_again=True).views
    theirs = KorniaPipeline(archive, settings, what).run()
    assert len(views) == len(theirs) == what.boxes == 2
    for view, other in zip(views, theirs, strict=True):
        assert np.abs(view.astype(int) - other)[2:-2, 2:-2].mean() <= 1.0
        assert view.std() > 5


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_it_says_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    parser.add_argument("--json", type=Path)
    with pytest.raises(ValueError, match=r"^no CUDA device: PyTorch .* sees none\.$"):
        command.run(parser.parse_args([]))
