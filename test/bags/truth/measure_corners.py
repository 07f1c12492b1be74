# SPDX-License-Identifier: Apache-2.0
"""Measure how far the corners of rendered tags are off, by several ways to find them.

    python test/bags/truth/measure_corners.py

The table in docs/truth.md is what this prints.
"""

import cv2
import numpy as np
from conftest import SIDE, TagPicture

from stn_perception.bags.truth.tag_detection import detect_tags
from stn_perception.bags.truth.tag_family import tag_family

TAGS = 40
CONDITIONS = ((0.0, 0.0), (0.7, 3.0), (1.2, 3.0))
SIDES_PX = (24, 40, 80, 160)
FAMILY = tag_family("tag36h11")
DICTIONARY = cv2.aruco.getPredefinedDictionary(FAMILY.number)
REFINEMENTS = {
    "OpenCV without refinement": cv2.aruco.CORNER_REFINE_NONE,
    "`CORNER_REFINE_SUBPIX`": cv2.aruco.CORNER_REFINE_SUBPIX,
    "`CORNER_REFINE_CONTOUR`": cv2.aruco.CORNER_REFINE_CONTOUR,
    "`CORNER_REFINE_APRILTAG` - 0.43": cv2.aruco.CORNER_REFINE_APRILTAG,
}
APRILTAG_OFFSET_PX = 0.43


def random_pose(rng: np.random.Generator, side_px: float) -> np.ndarray:
    """A tag of about this side somewhere in the frame, turned anyhow, tilted by up to 50°."""
    direction = rng.normal(size=2)
    tilt = direction / np.linalg.norm(direction) * np.radians(rng.uniform(0, 50))
    turn = cv2.Rodrigues(np.array([0, 0, rng.uniform(-np.pi, np.pi)]))[0]
    turned = cv2.Rodrigues(np.array([*tilt, 0.0]))[0] @ turn
    x = rng.uniform(0.9 * side_px, 640 - 0.9 * side_px)
    y = rng.uniform(0.9 * side_px, 480 - 0.9 * side_px)
    z = 600 / side_px
    K = np.array([[600, 0, 320], [0, 600, 240], [0, 0, 1.0]])
    place = [(x - 320) / 600 * z, (y - 240) / 600 * z, z]
    return K @ np.column_stack([turned[:, :2], place])


def by_opencv(gray: np.ndarray, refinement: int) -> dict[int, np.ndarray]:
    """Corners by number, in OpenCV's order."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = refinement
    detector = cv2.aruco.ArucoDetector(DICTIONARY, parameters)
    corners, numbers, _ = detector.detectMarkers(gray)
    if numbers is None:
        return {}
    shift = APRILTAG_OFFSET_PX if refinement == cv2.aruco.CORNER_REFINE_APRILTAG else 0.0
    return {
        int(number): np.roll(quad.reshape(4, 2), FAMILY.quarter_turns, axis=0) - shift
        for number, quad in zip(numbers.ravel(), corners, strict=True)
    }


def by_library(gray: np.ndarray, detector) -> dict[int, np.ndarray]:
    """Corners by number of the AprilTag library, in our order and pixels."""
    return {tag.tag_id: tag.corners[::-1] - 0.5 for tag in detector.detect(gray)}


def methods() -> dict:
    """Each way to find corners: gray picture to corners by number."""
    known = {"lines along the sides (used)": lambda gray: dict(detect_tags(gray, FAMILY))}
    for name, refinement in REFINEMENTS.items():
        known[name] = lambda gray, chosen=refinement: by_opencv(gray, chosen)
    try:
        from pupil_apriltags import Detector
    except ImportError:
        return known
    detector = Detector(families="tag36h11", quad_decimate=1.0)
    known["AprilTag library - 0.5"] = lambda gray: by_library(gray, detector)
    return known


def main() -> None:
    """Print the table."""
    known = methods()
    errors: dict[str, dict[tuple, list]] = {name: {} for name in known}
    columns = [(blur, noise, side) for blur, noise in CONDITIONS for side in SIDES_PX]
    for blur, noise, side in columns:
        rng = np.random.default_rng(side)
        for _ in range(TAGS):
            number = int(rng.integers(0, 500))
            drawn = cv2.aruco.generateImageMarker(DICTIONARY, number, FAMILY.cells) > 0
            picture = TagPicture()
            pose = random_pose(rng, side)
            picture.draw(np.rot90(drawn, -FAMILY.quarter_turns), pose)
            true = cv2.perspectiveTransform(SIDE[None], pose)[0]
            gray = picture.seen(blur, noise)
            for name, find in known.items():
                found = find(gray)
                if number in found:
                    distances = np.linalg.norm(found[number] - true, axis=1)
                    errors[name].setdefault((blur, noise, side), []).append(distances)
    print("| side, blur, noise | " + " | ".join(known) + " |")
    print("|---" * (len(known) + 1) + "|")
    for blur, noise, side in columns:
        cells = [by_column.get((blur, noise, side), []) for by_column in errors.values()]
        texts = [f"{np.mean(cell):.3f} ({len(cell)})" if cell else "- (0)" for cell in cells]
        print(f"| {side} px, {blur:g} px, {noise:g} | " + " | ".join(texts) + " |")


if __name__ == "__main__":
    main()
