# SPDX-License-Identifier: Apache-2.0
"""Random vehicles as they look from above: cars, bicycles, lorries."""

from __future__ import annotations

import numpy as np

from stn_perception.training.tabletop import meshes
from stn_perception.training.tabletop.bodies import TO_Y, Body, part, random_tone


def car(rng: np.random.Generator) -> Body:
    """Return a car: hull, cabin with windows, bonnet, wheels; each part has a tone of its own."""
    length = float(rng.uniform(0.10, 0.15))
    wide = length * float(rng.uniform(0.37, 0.5))
    body, cabin, glass = random_tone(rng), random_tone(rng), random_tone(rng)
    if rng.random() < 0.5:
        cabin = body
    low, high = length * float(rng.uniform(0.14, 0.2)), length * float(rng.uniform(0.1, 0.17))
    roof = float(rng.uniform(0.35, 0.65)) * length
    back = float(rng.uniform(-0.17, 0.05)) * length
    parts = [
        part(meshes.box(), (length, wide, low), (0, 0, low / 2), body),
        part(meshes.box(), (roof, wide * 0.9, high), (back, 0, low + high / 2), glass),
        part(meshes.box(), (roof * 0.8, wide * 0.88, 0.003), (back, 0, low + high), cabin),
    ]
    # Softened ends, so that the outline is not a perfect rectangle.
    for sign in (-1, 1):
        size = (wide * float(rng.uniform(0.15, 0.6)), wide * 0.96, low * 0.9)
        parts.append(part(meshes.cylinder(20), size, (sign * length / 2, 0, low / 2), body))
    if rng.random() < 0.5:
        size = (length * 0.24, wide * 0.85, 0.004)
        parts.append(part(meshes.box(), size, (length * 0.34, 0, low), random_tone(rng)))
    wheel = length * 0.16
    for x in (-0.3, 0.3):
        for side in (-1, 1):
            at = (x * length, side * wide * 0.49, wheel * 0.4)
            size = (wheel, wheel, wide * 0.08)
            parts.append(part(meshes.cylinder(12), size, at, 0.1, TO_Y))
    return Body("car", tuple(parts), lies=False)


def bicycle(rng: np.random.Generator) -> Body:
    """Return a bicycle, perhaps with a rider, a basket or a load, perhaps lying."""
    length, tone = float(rng.uniform(0.11, 0.15)), random_tone(rng)
    wheel, thin = length * float(rng.uniform(0.36, 0.42)), length * float(rng.uniform(0.02, 0.05))
    x = length / 2 - wheel / 2
    rim, size = meshes.ring(20, 0.1), (wheel, wheel, wheel)
    if rng.random() < 0.3:
        rim, size = meshes.cylinder(20).placed(TO_Y, np.zeros(3)), (wheel, thin * 1.5, wheel)
    parts = [part(rim, size, (sign * x, 0, wheel / 2), tone) for sign in (-1, 1)]
    top = wheel * float(rng.uniform(1.0, 1.3))
    parts += [
        part(meshes.box(), (2 * x, thin, thin), (0, 0, wheel * 0.55), tone),
        part(meshes.box(), (1.2 * x, thin, thin), (0.2 * x, 0, top), tone),
        part(meshes.box(), (thin, thin, top * 0.6), (0.8 * x, 0, top * 0.75), tone),
        part(meshes.box(), (thin, thin, top * 0.7), (-0.45 * x, 0, top * 0.75), tone),
        part(
            meshes.box(),
            (thin, length * float(rng.uniform(0.2, 0.4)), thin),
            (0.8 * x, 0, top * 1.08),
            random_tone(rng) if rng.random() < 0.5 else tone,
        ),
        part(
            meshes.box(),
            (length * 0.14, length * 0.07, thin),
            (-0.45 * x, 0, top),
            random_tone(rng),
        ),
    ]
    if rng.random() < 0.35:
        size = (length * 0.16, length * 0.2, length * 0.14)
        parts.append(part(meshes.box(), size, (x, 0, top), random_tone(rng)))
    if rng.random() < 0.4:
        size = (length * 0.3, length * 0.26, length * 0.4)
        parts.append(
            part(meshes.ellipsoid(), size, (-0.3 * x, 0, top + length * 0.2), random_tone(rng))
        )
    return Body("bicycle", tuple(parts), lies=bool(rng.random() < 0.15))


def lorry(rng: np.random.Generator) -> Body:
    """Return a lorry: a cab and a load, a gap between them."""
    length = float(rng.uniform(0.11, 0.16))
    wide, high = length * float(rng.uniform(0.28, 0.4)), length * float(rng.uniform(0.25, 0.35))
    cab = length * float(rng.uniform(0.2, 0.3))
    load = length * 0.96 - cab
    return Body(
        "lorry",
        (
            part(
                meshes.box(),
                (load, wide, high),
                ((load - length) / 2, 0, high / 2),
                random_tone(rng),
            ),
            part(
                meshes.box(),
                (cab, wide * 0.94, high * 0.8),
                ((length - cab) / 2, 0, high * 0.4),
                random_tone(rng),
            ),
            part(
                meshes.box(),
                (length, wide * 0.7, high * 0.2),
                (0, 0, high * 0.1),
                random_tone(rng),
            ),
        ),
        lies=False,
    )
