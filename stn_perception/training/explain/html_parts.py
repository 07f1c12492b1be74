# SPDX-License-Identifier: Apache-2.0
"""Pictures, outlines and tables as HTML that stands alone."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.pictures import jpeg
from stn_perception.training.explain.cases import Corners
from stn_perception.training.explain.observing import Observation

Picture = NDArray[np.uint8]

TRUE_COLOR, PREDICTED_COLOR, BOX_COLOR = "#009e73", "#d55e00", "#8a94a0"


def data_uri(picture: Picture, quality: int = 82) -> str:
    """Return a BGR or gray picture as a JPEG data URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(picture, quality)).decode('ascii')}"


def image(picture: Picture, alt: str, width: int) -> str:
    """Return an ``img`` of a picture."""
    return f'<img alt="{html.escape(alt)}" width="{width}" src="{data_uri(picture)}">'


def outlined(
    picture: Picture, quads: Sequence[tuple[Corners, str, str]], width: int, alt: str
) -> str:
    """Return a picture with outlines over it, as SVG.

    Args:
        picture: BGR or gray.
        quads: corners 4×2 in pixels of the picture, CSS colour, dashes ('' for none). The edge
            from the first to the second corner, the view's top, is thick.
        width: of the drawing on the page.
        alt: what it shows.
    """
    rows, columns = picture.shape[:2]
    stroke = 1.6 * columns / width
    marks = []
    for quad, color, dash in quads:
        if not np.isfinite(quad).all():
            continue
        # An SVG pixel spans whole numbers; its centre is half a pixel further.
        points = [f"{x:.1f},{y:.1f}" for x, y in np.clip(quad + 0.5, -1e4, 1e4)]
        style = f'fill="none" stroke="{color}" stroke-width="{stroke:.2f}"'
        style += f' stroke-dasharray="{dash}"' if dash else ""
        marks.append(f'<polygon points="{" ".join(points)}" {style}/>')
        thick = style.replace(f'width="{stroke:.2f}"', f'width="{2.4 * stroke:.2f}"')
        marks.append(f'<polyline points="{" ".join(points[:2])}" {thick}/>')
    return (
        f'<svg class="picture" role="img" aria-label="{html.escape(alt)}" width="{width}" '
        f'height="{round(width * rows / columns)}" viewBox="0 0 {columns} {rows}">'
        f'<image href="{data_uri(picture)}" width="{columns}" height="{rows}"/>'
        f"{''.join(marks)}</svg>"
    )


def scene_drawing(observation: Observation, width: int = 150) -> str:
    """Return the surroundings of a case with box, true and predicted outline."""
    scene = observation.scene
    quads = [(scene.placed(observation.box.corners()), BOX_COLOR, "2 3")]
    if observation.truth is not None:
        quads.append((scene.placed(observation.truth), TRUE_COLOR, "6 3"))
    if observation.quad is not None:
        quads.append((scene.placed(observation.quad), PREDICTED_COLOR, ""))
    rows, columns = scene.picture.shape[:2]
    return outlined(scene.picture, quads, round(width * min(1.0, columns / rows)), "the box")


def heat(weights: NDArray[np.float64], under: Picture | None = None) -> Picture:
    """Return a map as colours, over a gray picture of its size if there is one."""
    top = float(np.percentile(weights, 99.5)) or 1.0
    scaled = np.clip(255 * weights / top, 0, 255).astype(np.uint8)
    colors = np.asarray(cv2.applyColorMap(scaled, cv2.COLORMAP_INFERNO), dtype=np.float64)
    if under is None:
        return colors.astype(np.uint8)
    share = np.sqrt(scaled[..., None] / 255.0)
    gray = np.asarray(under, dtype=np.float64)[..., None]
    return np.asarray(np.rint(0.8 * gray * (1 - share) + colors * share), dtype=np.uint8)


def enlarged(picture: Picture, factor: int) -> Picture:
    """Return a picture with its pixels repeated, so that a browser cannot blur them away."""
    return np.asarray(np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1))


def crop_picture(crop: NDArray[np.float32]) -> Picture:
    """Return a network input, C×h×w in [0, 1] (RGB or gray), as a BGR or gray picture."""
    pixels = np.rint(255 * crop).astype(np.uint8)
    return pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels[::-1].transpose(1, 2, 0))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; every cell is text."""
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<table class="numbers"><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>'


def paragraph(text: str) -> str:
    """Return a paragraph of text."""
    return f"<p>{html.escape(text)}</p>"
