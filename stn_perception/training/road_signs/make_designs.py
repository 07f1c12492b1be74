# SPDX-License-Identifier: Apache-2.0
"""Make the rasters of the designs from public-domain clip-art and from our drawings.

    apt-get download openclipart-svg && dpkg-deb -x openclipart-svg_*.deb clipart
    pip install cairosvg
    python -m stn_perception.training.road_signs.make_designs \
        --clip-art clipart/usr/share/openclipart/svg

Needed only to change the designs: their rasters are part of the package.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.road_signs import clip_art
from stn_perception.training.road_signs.catalogue import CATALOGUE, FOLDER
from stn_perception.training.road_signs.drawn import DRAWINGS, SIDE_PX

Picture = NDArray[np.uint8]

OTHER_SIDE_PX = 64

# Mean difference of two rasters over gray, out of 255, below which they are the same artwork.
SAME_BELOW = 14.0


def rasterize(path: Path, side: int) -> Picture | None:
    """Render an SVG, cut it to what is not transparent, and centre it on a square.

    Returns:
        RGBA, ``side`` × ``side``; None where the file cannot be drawn or shows nothing.
    """
    cairosvg = importlib.import_module("cairosvg")
    image = importlib.import_module("PIL.Image")
    try:
        drawn = image.open(io.BytesIO(cairosvg.svg2png(url=str(path), output_width=8 * side)))
    except Exception as error:  # the library raises whatever a damaged file makes it raise
        print(f"left out {path.name}: {error}")
        return None
    pixels = np.asarray(drawn.convert("RGBA"))
    rows, columns = np.nonzero(pixels[..., 3] > 8)
    if len(rows) == 0:
        return None
    cut = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    longest = max(cut.shape[:2])
    top, left = (longest - cut.shape[0]) // 2, (longest - cut.shape[1]) // 2
    square = np.zeros((longest, longest, 4), np.float32)
    alpha = cut[..., 3:].astype(np.float32) / 255
    square[top : top + cut.shape[0], left : left + cut.shape[1]] = np.concatenate(
        [cut[..., :3] * alpha, alpha], axis=2
    )
    shrunk = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)
    color = shrunk[..., :3] / np.maximum(shrunk[..., 3:], 1e-3)
    both = np.concatenate([color, shrunk[..., 3:] * 255], axis=2)
    return np.asarray(np.clip(both + 0.5, 0, 255), dtype=np.uint8)


def over_gray(picture: Picture, side: int = 32) -> NDArray[np.float32]:
    """Return a small copy over middle gray, float32 side×side×3."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    flat = picture[..., :3] * alpha + 128 * (1 - alpha)
    return np.asarray(cv2.resize(flat, (side, side), interpolation=cv2.INTER_AREA))


def _write(picture: Picture, file: Path) -> None:
    image = importlib.import_module("PIL.Image")
    # Colours indexed by 64 entries: a third of the size, and no difference one could see.
    indexed = image.fromarray(picture, "RGBA").quantize(64, method=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    indexed.save(file, optimize=True)


def _signs(root: Path) -> list[tuple[str, int, str, Picture]]:
    rows: list[tuple[str, int, str, Picture]] = []
    for name, symmetry, source in clip_art.SIGNS:
        file, _, mirror = source.partition("|")
        picture = rasterize(root / f"{file}.svg", SIDE_PX)
        if picture is None:
            raise SystemExit(f"{root / file}.svg shows nothing, expected the sign {name}")
        rows.append((name, symmetry, source, picture[:, ::-1].copy() if mirror else picture))
    for name, draw in DRAWINGS.items():
        symmetry = 4 if name == "crossroads" else 1
        rows.append((name, symmetry, f"drawn.{draw.__name__}", draw()))
    return rows


def _others(root: Path, known: list[NDArray[np.float32]]) -> list[tuple[str, Picture]]:
    found: list[tuple[str, Picture]] = []
    seen = list(known)
    for folder in clip_art.OTHER_FOLDERS:
        for path in sorted((root / folder).glob("*.svg")):
            if any(part in path.name for part in clip_art.NOT_OTHERS):
                continue
            picture = rasterize(path, OTHER_SIDE_PX)
            if picture is None or picture[..., 3].mean() < 40:
                continue
            small = over_gray(picture)
            if min(float(np.abs(small - other).mean()) for other in seen) < SAME_BELOW:
                continue
            seen.extend(np.rot90(small, turns) for turns in range(4))
            found.append((folder + path.stem, picture))
    return found


def main() -> None:
    """Write the rasters and their catalogue."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip-art", type=Path, required=True)
    root: Path = parser.parse_args().clip_art
    for old in FOLDER.rglob("*.png"):
        old.unlink()
    rows: list[tuple[str, str, int, str, str]] = []
    signs = _signs(root)
    count: dict[str, int] = {}
    for name, symmetry, source, picture in signs:
        count[name] = count.get(name, 0) + 1
        file = f"signs/{name}-{count[name]}.png"
        _write(picture, FOLDER / file)
        rows.append((file, name, symmetry, "class", source))
    others = _others(root, [over_gray(picture) for *_, picture in signs])
    for number, (source, picture) in enumerate(others):
        # Every third one is kept for scoring.
        part = "held_out" if number % 3 == 2 else "training"
        file = f"others/{number:03d}.png"
        _write(picture, FOLDER / file)
        rows.append((file, "unknown", 1, part, source))
    with open(FOLDER / CATALOGUE, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("file", "class", "symmetry", "use", "source"))
        writer.writerows(rows)
    print(f"{len(signs)} designs of {len(count)} classes, {len(others)} other pieces of artwork")


if __name__ == "__main__":
    main()
