# SPDX-License-Identifier: Apache-2.0
"""Pictures of fiducials whose corners are known exactly."""

import cv2
import numpy as np
import pytest

SIDE = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
_FINENESS = 8


class TagPicture:
    """A gray frame into which tags are drawn, each pixel the mean of 8×8 looks at the plane.

    A tag's own plane has the tag as the unit square about the origin, x right, y down. Where a
    pixel lies follows from the homography alone; nothing of OpenCV's warps is involved.
    """

    def __init__(self, width: int = 640, height: int = 480) -> None:
        self.gray = np.full((height, width), 128, np.float64)

    def draw(self, cells: np.ndarray, frame_from_tag: np.ndarray) -> np.ndarray:
        """Draw a tag of N×N cells (true: white, its border included); returns its corners."""
        quiet = 0.5 + 1.5 / len(cells)
        window = cv2.perspectiveTransform((2 * quiet * SIDE)[None], frame_from_tag)[0]
        x0, y0 = np.maximum(np.floor(window.min(0)).astype(int) - 1, 0)
        x1, y1 = np.ceil(window.max(0)).astype(int) + 2
        x1, y1 = min(x1, self.gray.shape[1]), min(y1, self.gray.shape[0])
        fine = (np.arange(_FINENESS) + 0.5) / _FINENESS - 0.5
        xs = (np.arange(x0, x1)[:, None] + fine).ravel()
        ys = (np.arange(y0, y1)[:, None] + fine).ravel()
        places = np.stack(np.meshgrid(xs, ys), axis=-1)[None].reshape(1, -1, 2)
        u, v = cv2.perspectiveTransform(places, np.linalg.inv(frame_from_tag))[0].T
        around = np.repeat(np.repeat(self.gray[y0:y1, x0:x1], _FINENESS, 0), _FINENESS, 1).ravel()
        looks = np.where((abs(u) < quiet) & (abs(v) < quiet), 220.0, around)
        inside = (abs(u) < 0.5) & (abs(v) < 0.5)
        column = ((u[inside] + 0.5) * len(cells)).astype(int)
        row = ((v[inside] + 0.5) * len(cells)).astype(int)
        looks[inside] = np.where(cells[row, column], 220.0, 30.0)
        blocks = looks.reshape(y1 - y0, _FINENESS, x1 - x0, _FINENESS)
        self.gray[y0:y1, x0:x1] = blocks.mean(axis=(1, 3))
        return cv2.perspectiveTransform(SIDE[None], frame_from_tag)[0]

    def seen(self, blur_px: float = 0.0, noise: float = 0.0) -> np.ndarray:
        """The picture as a camera gives it, uint8."""
        picture = cv2.GaussianBlur(self.gray, (0, 0), blur_px) if blur_px else self.gray
        picture = picture + np.random.default_rng(0).normal(0, noise, picture.shape)
        return np.clip(np.round(picture), 0, 255).astype(np.uint8)


@pytest.fixture
def tag_picture():
    return TagPicture


@pytest.fixture
def tag_pose():
    """Homographies of a tag plane: a camera of 600 px focal length looks at it, tilted."""

    def pose(x: float, y: float, side_px: float, turn_rad: float, tilt: tuple[float, float]):
        turned = cv2.Rodrigues(np.array([*tilt, 0.0]))[0]
        turned = turned @ cv2.Rodrigues(np.array([0, 0, turn_rad]))[0]
        z = 600 / side_px
        K = np.array([[600, 0, 320], [0, 600, 240], [0, 0, 1.0]])
        place = np.array([(x - 320) / 600 * z, (y - 240) / 600 * z, z])
        return K @ np.column_stack([turned[:, :2], place])

    return pose


# Tag 5 of AprilTag 36h11 as its authors print it (checked against their own library), with border.
_TAG_5 = 0xF31DAB3AC


@pytest.fixture
def april_tag():
    bits = np.array([digit == "1" for digit in format(_TAG_5, "036b")]).reshape(6, 6)
    return 5, np.pad(bits, 1)
