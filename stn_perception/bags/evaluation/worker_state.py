# SPDX-License-Identifier: Apache-2.0
"""What a worker process keeps between chunks: the open recording, the models."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache, lru_cache
from pathlib import Path

from stn_perception.bags.evaluation.chunk import BagSource, ModelChoice
from stn_perception.bags.evaluation.shipped_files import model_path
from stn_perception.bags.opening import opened
from stn_perception.bags.reader import BagReader
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.padded_batches import PaddedArchive
from stn_perception.runtime.parameters.settings import ModelSettings
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.process_memory import keep_large_blocks
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.threads import set_threads

# A reader holds its index in memory, so only the recordings at hand stay open.
_OPEN_AT_ONCE = 2
_readers: OrderedDict[tuple[str, str], BagReader] = OrderedDict()


@cache
def prepare_process() -> None:
    """Settings of the whole process: one thread, and memory that stays with it.

    More threads would change the last bits. Dask's workers give memory back at once, so that every
    frame would fault its pages in again: a fifth of all the time.
    """
    set_threads(1)
    keep_large_blocks()


def reader_of(bag: BagSource) -> BagReader:
    """The open reader of a recording."""
    key = (bag.uri, bag.sha256)
    if key in _readers:
        _readers.move_to_end(key)
        return _readers[key]
    reader = BagReader(opened(bag.uri, Path(bag.cache)).path)
    reader.__enter__()
    _readers[key] = reader
    while len(_readers) > _OPEN_AT_ONCE:
        _, old = _readers.popitem(last=False)
        old.close()
    return reader


def close_readers() -> None:
    """Close all that are open."""
    while _readers:
        _, reader = _readers.popitem()
        reader.close()


def pipeline_of(model: ModelChoice, settings: ModelSettings, knobs: PipelineSettings) -> Pipeline:
    """The pipeline of a model."""
    return Pipeline(archive_of(model, settings), knobs)


@lru_cache(maxsize=16)
def archive_of(model: ModelChoice, settings: ModelSettings) -> ModelArchive:
    """The opened archive of a model."""
    archive = ModelArchive.open(model_path(model), settings.device, settings.cardless())
    return PaddedArchive(archive, settings.warm_up_batches) if settings.pad_batches else archive
