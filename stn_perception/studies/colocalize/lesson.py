# SPDX-License-Identifier: Apache-2.0
"""What views of one class have in common: a triplet loss, and no label.

Jaderberg et al. 2015, section 4.4, equation 8: the sum over pairs of
max(0, ||e(view n) - e(view m)||² - ||e(view n) - e(random n)||² + margin).

Two things are added. The views begin twice as large and shrink to their size, as a view that
touches no digit has nothing to learn from. And the mean view's ink shall lie in its middle: a
digit that is cut in the same way everywhere is as alike as a whole one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from stn_perception.stn import SpatialTransformer, scaled_about_center
from stn_perception.studies.colocalize.encoding import Encoding
from stn_perception.studies.colocalize.found import found_percent, views_of
from stn_perception.studies.colocalize.localizers import DigitLocalizers
from stn_perception.studies.colocalize.pictures import CLASSES, class_pictures
from stn_perception.studies.colocalize.triplets import off_center, triplet_loss
from stn_perception.studies.data.digits import Split

_FIRST_SIZE = 2.0
# Share of the training after which views have their size.
_SHRUNK_AT = 0.5
# The mean view is weighed in a frame larger than the view, or a cut digit would look centred.
_CENTERING_FRAME = 1.5
_CENTERING_WEIGHT = 3.0

Batch = tuple[Tensor, list[Tensor], list[Tensor]]


class ColocalizationLesson:
    """Some pictures of every class in each step.

    Attributes:
        network: The ten transformers.
        localization: Empty: there is nothing beside them that could learn faster.
    """

    localization: Sequence[nn.Module] = ()

    def __init__(
        self, network: nn.Module, cluttered: bool, steps: int, split: Split = "train"
    ) -> None:
        """Take the training pictures.

        Args:
            network: `DigitLocalizers`.
            cluttered: TC, else T.
            steps: Of the training, by which the views shrink.
            split: Where the training pictures' digits come from.
        """
        self.network = network
        self._cluttered = cluttered
        self._steps, self._drawn = steps, 0
        self._pictures = [
            class_pictures(digit, cluttered, split).images for digit in range(CLASSES)
        ]
        self._encoding = Encoding()

    def batch(self, count: int, generator: torch.Generator) -> Batch:
        """Return how far the training is, pictures, and a random place in each.

        Args:
            count: Pictures of each class.
            generator: Of the choice and of the places.
        """
        progress = torch.tensor(self._drawn / self._steps)
        self._drawn += 1
        chosen = [p[torch.randperm(len(p), generator=generator)[:count]] for p in self._pictures]
        places = [torch.rand(len(p), 2, generator=generator) * 2 - 1 for p in chosen]
        return progress, chosen, places

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean over the classes."""
        assert isinstance(network, DigitLocalizers)
        progress, pictures, places = batch
        self._encoding.to(progress.device)
        losses = [
            self._class_loss(network.of(digit), images, place, float(progress))
            for digit, (images, place) in enumerate(zip(pictures, places, strict=True))
        ]
        return torch.stack(losses).mean()

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return how many digits are found in other pictures, over the classes and in the worst.

        Choices were made by it; the training is not stopped or chosen by it.
        """
        assert isinstance(network, DigitLocalizers)
        shares = []
        for digit in range(CLASSES):
            pictures = class_pictures(digit, self._cluttered, "validation")
            shares.append(found_percent(views_of(network.of(digit), pictures.images), pictures))
        return {"found_percent": sum(shares) / CLASSES, "worst_percent": min(shares)}

    def _class_loss(
        self, transformer: SpatialTransformer, images: Tensor, places: Tensor, progress: float
    ) -> Tensor:
        shrunk = min(1.0, progress / _SHRUNK_AT)
        levels = transformer.prepare(images)
        theta = transformer.locate(images, levels)

        def seen(picture_from_view: Tensor) -> Tensor:
            return transformer.view_of(levels, picture_from_view, images.dtype).views

        grown = scaled_about_center(theta, _FIRST_SIZE + (1 - _FIRST_SIZE) * shrunk)
        loss = triplet_loss(
            self._encoding(seen(grown)), self._encoding(seen(_elsewhere(grown, places)))
        )
        if shrunk < 1:
            return loss
        framed = seen(scaled_about_center(theta, _CENTERING_FRAME))
        return loss + _CENTERING_WEIGHT * off_center(framed)


def _elsewhere(theta: Tensor, places: Tensor) -> Tensor:
    """Return views as large as these at random places, inside the picture.

    Args:
        theta: N×2×3 or N×3×3.
        places: N×2 in -1 to 1, from one end of the room to the other.
    """
    moved = theta.detach()[:, :2].clone()
    room = 1 - moved[:, 0, 0]
    moved[:, :, 2] = places * room.unsqueeze(1)
    return moved
