# SPDX-License-Identifier: Apache-2.0
"""The truth about a bag's camera from the source that the options name."""

from __future__ import annotations

from pathlib import Path

from stn_perception.bags.reader import BagReader
from stn_perception.bags.truth.fiducials import fiducial_truth
from stn_perception.bags.truth.names import filled_path
from stn_perception.bags.truth.objects import FrameTruth, NoTruth
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.bags.truth.side_file import side_file_truth
from stn_perception.bags.truth.topic import topic_truth
from stn_perception.bags.truth.transforms import transform_truth


def load_truth(
    options: TruthOptions, reader: BagReader, camera: str, folder: Path | None = None
) -> FrameTruth:
    """The truth about one camera of an open bag; what it returns can be pickled.

    Args:
        options: Of the source.
        reader: The bag, open.
        camera: The camera's name.
        folder: What ``{bag}`` in a path stands for; where the reader's bag lies when left out.

    Raises:
        BagError: The source is missing or of no use; the message says what was expected.
    """
    bag = reader.path if folder is None else folder
    if options.source == "file":
        path = filled_path(options.file, bag, camera)
        return side_file_truth(path, camera, options.tolerance_s)
    if options.source == "topic":
        return topic_truth(options, reader, camera)
    if options.source == "fiducials":
        return fiducial_truth(options, bag, camera)
    if options.source == "tf":
        return transform_truth(options, reader)
    return NoTruth()
