# SPDX-License-Identifier: Apache-2.0
"""The bytes of a model file: what kind it is, loading it without ever unpickling."""

from __future__ import annotations

import io
import json
import logging
import pickletools
import zipfile
from pathlib import Path
from typing import Any, Literal

import torch

from stn_perception.runtime.archive_errors import ArchiveError

ArchiveFormat = Literal["torchscript", "export"]
CARD_FILE = "card.json"

_EXPORT_FOLDERS = ("data/weights/weight_", "data/constants/tensor_", "extra/", "models/")


def read_archive(path: Path) -> bytes:
    """The whole file, read once, so that nothing can change between check and use.

    Raises:
        ArchiveError: The file is missing, empty or unreadable.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ArchiveError(f"The model file {path} does not exist.") from None
    except OSError as error:
        raise ArchiveError(
            f"The model file {path} cannot be read: {error.strerror or error}."
        ) from error
    if not content:
        raise ArchiveError(f"The model file {path} is empty.")
    return content


def archive_format(content: bytes, path: Path) -> ArchiveFormat:
    """Tell TorchScript and ``torch.export`` files from everything else.

    Raises:
        ArchiveError: A truncated file, a pickle, or no model at all.
    """
    if not content.startswith(b"PK"):
        if _is_pickle(content):
            raise ArchiveError(
                f"The model file {path} is a pickle, which is never loaded; "
                "expected a TorchScript file (torch.jit.save)."
            )
        raise ArchiveError(f"The model file {path} is not TorchScript (torch.jit.save).")
    names = _checked_names(content, path)
    inner = {name.split("/", 1)[1] for name in names if "/" in name}
    if "archive_format" in inner and any(name.startswith("models/") for name in inner):
        return "export"
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        return "torchscript"
    if "data.pkl" in inner:
        raise ArchiveError(
            f"The model file {path} is a pickle (torch.save), which is never loaded; "
            "expected a TorchScript file (torch.jit.save)."
        )
    raise ArchiveError(f"The model file {path} is a zip file, but not TorchScript.")


def load_torchscript(
    content: bytes, path: Path, device: torch.device
) -> tuple[torch.jit.ScriptModule, str]:
    """The scripted network on ``device`` and its card's text ('' without a card)."""
    extra: dict[str, Any] = {CARD_FILE: ""}
    try:
        module = torch.jit.load(  # type: ignore[no-untyped-call]
            io.BytesIO(content), map_location=device, _extra_files=extra
        )
    except RuntimeError as error:
        raise ArchiveError(
            f"The model file {path} is not readable TorchScript: {first_line(error)}."
        ) from error
    if not hasattr(module, "forward"):
        raise ArchiveError(f"The model file {path} holds a module without a forward method.")
    return module, _text(extra[CARD_FILE], path)


def load_exported(content: bytes, path: Path) -> tuple[torch.export.ExportedProgram, str]:
    """The exported program and its card's text ('' without a card).

    ``torch.export.load`` would unpickle certain records; a file that has them is refused.
    """
    _refuse_pickled_records(content, path)
    extra: dict[str, Any] = {CARD_FILE: ""}
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.ERROR)  # its traceback of a failed load; the error below says it
    try:
        program = torch.export.load(io.BytesIO(content), extra_files=extra)
    except Exception as error:  # the loader raises anything on a damaged program
        raise ArchiveError(
            f"The model file {path} is not a readable torch.export program: {first_line(error)}."
        ) from error
    finally:
        logger.setLevel(level)
    return program, _text(extra[CARD_FILE], path)


def first_line(error: BaseException) -> str:
    """The last non-empty line of an error's text, where PyTorch puts the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def _checked_names(content: bytes, path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
    except Exception as error:  # encryption and every compression fail in their own way
        raise ArchiveError(
            f"The model file {path} is truncated or damaged: {first_line(error)}."
        ) from error
    if damaged is not None:
        raise ArchiveError(f"The model file {path} is damaged: {damaged} fails its checksum.")
    return names


def _is_pickle(content: bytes) -> bool:
    """Whether the bytes parse as pickle operations, read as text and never executed."""
    if content[0] == 0x80 and len(content) > 1 and content[1] <= 5:
        return True
    try:
        for _operation in pickletools.genops(content):
            pass
    except Exception:  # any other byte string fails in its own way; then it is no pickle
        return False
    return True


def _refuse_pickled_records(content: bytes, path: Path) -> None:
    refusal = ArchiveError(
        f"The model file {path} carries pickled objects, which are never loaded; "
        "export a network of plain tensors."
    )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            inner = name.split("/", 1)[-1]
            if inner.endswith("_config.json"):
                if _mentions_pickles(archive.read(name), name, path):
                    raise refusal
            elif inner.startswith("data/sample_inputs/"):
                try:
                    torch.load(io.BytesIO(archive.read(name)), weights_only=True)
                except Exception as error:
                    raise refusal from error
            elif inner.startswith("data/") and not inner.startswith(_EXPORT_FOLDERS):
                raise refusal


def _mentions_pickles(config: bytes, name: str, path: Path) -> bool:
    try:
        records = json.loads(config).get("config", {}).values()
        return any(record.get("use_pickle") for record in records)
    except (ValueError, AttributeError) as error:
        raise ArchiveError(
            f"The model file {path} is damaged: {name} is not its index."
        ) from error


def _text(value: str | bytes, path: Path) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchiveError(f"The card of the model file {path} is not UTF-8 text.") from error
