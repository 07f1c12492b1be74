# SPDX-License-Identifier: Apache-2.0
"""How a network with a transformer is led: read first, turn then, and both at last.

A strong host learns to read turned digits about as fast as the transformer learns to turn them,
and then nothing asks for a transformer any more. So the host learns on digits as they are, rests
while the distortion grows and the transformer has to bring digits to what the host can read, and
learns along in the end. All of it by class labels alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from stn_perception.studies.digits.distortion import Kind


@dataclass(frozen=True)
class Stage:
    """Where a training stands.

    Attributes:
        share: Of the distortion's ranges.
        host_rests: Whether only the transformer learns.
    """

    share: float
    host_rests: bool


@dataclass(frozen=True)
class Curriculum:
    """When what is learned, as shares of the steps.

    Attributes:
        reading: The host learns on digits as they are.
        growth: The distortion grows meanwhile, from then on it is whole.
        turning: The host rests meanwhile.
    """

    reading: float = 0.12
    growth: float = 0.25
    turning: float = 0.35

    def stage(self, progress: float) -> Stage:
        """Return the stage at a share of the steps, 0 to 1."""
        since = progress - self.reading
        if since < 0:
            return Stage(0.0, host_rests=False)
        return Stage(min(1.0, since / self.growth), host_rests=since < self.turning)


def curriculum_of(kind: Kind) -> Curriculum:
    """Return that of a distortion: turns within ±90° take longer than the others."""
    return Curriculum() if kind == "R" else Curriculum(reading=0.1, growth=0.2, turning=0.25)


# Without a transformer there is nothing to lead to.
WHOLE = Curriculum(reading=0.0, growth=1e-9, turning=0.0)
