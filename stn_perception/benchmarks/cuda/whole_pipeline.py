# SPDX-License-Identifier: Apache-2.0
"""From pinned frames and boxes to pinned views: ours, and the same steps in eager kornia."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.cuda.batch_steps import sides
from stn_perception.runtime.cuda.crops import frame_from_crops
from stn_perception.runtime.cuda.device_pipeline import BoxedFrame, DevicePipeline, batch_shape
from stn_perception.runtime.cuda.frame_store import FrameStore
from stn_perception.runtime.devices import reproducible_inference
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import PipelineSettings


@dataclass(frozen=True, eq=False)
class Scene:
    """Frames of several cameras with their boxes.

    Attributes:
        boxed: One a camera; RGB frames of one size.
    """

    boxed: tuple[BoxedFrame, ...]

    @property
    def boxes(self) -> int:
        """Of all cameras."""
        return sum(len(item.boxes) for item in self.boxed)


def scene(
    cameras: int, objects: int, frame_size: tuple[int, int], box_px: float, seed: int = 0
) -> Scene:
    """Smooth noise, boxes on a raster."""
    rng = np.random.default_rng(seed)
    width, height = frame_size
    boxed = []
    for camera in range(cameras):
        rough = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
        wide = cv2.resize(rough, frame_size, interpolation=cv2.INTER_CUBIC)
        pixels = np.asarray(wide, dtype=np.uint8)
        places = (np.arange(objects) + 0.5) / objects
        boxes = np.zeros((objects, 5))
        boxes[:, 0] = box_px + places * (width - 2 * box_px)
        boxes[:, 1] = rng.uniform(box_px, height - box_px, objects)
        boxes[:, 2:4] = box_px * rng.uniform(0.8, 1.2, (objects, 2))
        boxed.append(BoxedFrame(Frame(pixels, "rgb", frame_id=f"camera{camera}"), boxes))
    return Scene(tuple(boxed))


def ours(archive: ModelArchive, settings: PipelineSettings, what: Scene) -> DevicePipeline:
    """Prepared for this scene, its frames in pinned memory."""
    pipeline = DevicePipeline(archive, settings, [what.boxes], max_frames=len(what.boxed))
    pipeline.store.stage([item.frame for item in what.boxed])
    return pipeline


def staging(device: torch.device, scenes: Sequence[Scene]) -> Callable[[], None]:
    """Copies the frames of another scene into pinned memory in every call."""
    store = FrameStore(device)
    turn = iter(range(1 << 62))

    def stage() -> None:
        chosen = scenes[next(turn) % len(scenes)]
        store.stage([item.frame for item in chosen.boxed])

    return stage


class KorniaPipeline:
    """The same steps as tutorials write them: float planes of whole frames, eager kornia.

    It samples without averaging, which costs less than ours does.

    Args:
        archive: The opened model.
        settings: As for ours.
        what: The frames are put into pinned memory here.
    """

    def __init__(self, archive: ModelArchive, settings: PipelineSettings, what: Scene) -> None:
        self._archive = archive
        self._shape = batch_shape(archive, settings, view_channels=3)
        device = archive.device
        is_cuda = device.type == "cuda"
        pinned = [torch.from_numpy(item.frame.pixels) for item in what.boxed]
        self._pinned = [frame.pin_memory() if is_cuda else frame for frame in pinned]
        self._boxes = [item.boxes for item in what.boxed]
        shape = (1, -1, 1, 1)
        self._view_sides, self._next_sides = (
            torch.from_numpy(pair).to(device, torch.float32) for pair in sides(self._shape)
        )
        self._mean = torch.tensor(self._shape.mean, device=device).view(shape)
        self._std = torch.tensor(self._shape.std, device=device).view(shape)
        size = (what.boxes, self._shape.view_height, self._shape.view_width, 3)
        self._views = torch.empty(size, dtype=torch.uint8, pin_memory=is_cuda)

    def run(self) -> NDArray[np.uint8]:
        """All views, N×height×width×3 in pinned memory."""
        shape, device = self._shape, self._archive.device
        with reproducible_inference(device):
            frames = [frame.to(device, non_blocking=True) for frame in self._pinned]
            planes = [frame.permute(2, 0, 1).to(torch.float32).div(255) for frame in frames]
            crops = [
                frame_from_crops(
                    boxes,
                    self._archive.card.box_margin,
                    shape.input_width,
                    shape.input_height,
                    self._archive.card.crop_shape,
                )
                for boxes in self._boxes
            ]
            frame_from_crop = torch.from_numpy(np.concatenate(crops)).to(device, torch.float32)
            for step in range(shape.refinement_steps + 1):
                theta = self._predict(planes, frame_from_crop)
                is_last = step == shape.refinement_steps
                left, right = self._view_sides if is_last else self._next_sides
                frame_from_crop = frame_from_crop @ left @ theta @ right
            size = (shape.view_height, shape.view_width)
            views = self._warped(planes, frame_from_crop, size)
            levels = views.mul(255).add(0.5).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
            self._views.copy_(levels, non_blocking=True)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        result: NDArray[np.uint8] = self._views.numpy()
        return result

    def _predict(
        self, planes: Sequence[torch.Tensor], frame_from_crop: torch.Tensor
    ) -> torch.Tensor:
        from kornia.color import rgb_to_grayscale

        size = (self._shape.input_height, self._shape.input_width)
        crops = self._warped(planes, frame_from_crop, size)
        if self._shape.channels == 1:
            crops = rgb_to_grayscale(crops)
        output = self._archive._network((crops - self._mean) / self._std)
        theta: torch.Tensor = output if isinstance(output, torch.Tensor) else output["theta"]
        if theta.shape[1] == 2:
            last = theta.new_zeros((len(theta), 1, 3))
            last[:, :, 2] = 1
            theta = torch.cat([theta, last], dim=1)
        return theta

    def _warped(
        self,
        planes: Sequence[torch.Tensor],
        frame_from_view: torch.Tensor,
        size: tuple[int, int],
    ) -> torch.Tensor:
        from kornia.geometry.transform import warp_perspective

        view_from_frame = torch.linalg.inv(frame_from_view)
        parts = []
        start = 0
        for plane, boxes in zip(planes, self._boxes, strict=True):
            chosen = view_from_frame[start : start + len(boxes)]
            start += len(boxes)
            shared = plane.expand(len(boxes), -1, -1, -1)
            parts.append(warp_perspective(shared, chosen, size, align_corners=True))
        return torch.cat(parts)
