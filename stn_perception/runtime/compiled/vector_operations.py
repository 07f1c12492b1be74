# SPDX-License-Identifier: Apache-2.0
"""Operations on a few neighbouring bytes at once, which Numba has no words for.

Each is given the addresses of bytes, and what it reads or writes beyond the last pixel is said
there; callers keep that inside their arrays. The number of channels must be a constant.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BYTE, _INT, _FLOAT = ir.IntType(8), ir.IntType(32), ir.FloatType()
_CONTRACT = ("contract",)

# Pixels are read in pairs of one row; three channels are read as eight bytes, two of them unused.
LANES_OF_A_PAIR = {1: 2, 3: 8, 4: 8}


@intrinsic
def bytes_at(typing_context: Any, address: Any) -> Any:
    """A pointer to the bytes at an address, for ``numba.carray``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.uint8)(types.intp), generate


@intrinsic
def floats_at(typing_context: Any, address: Any) -> Any:
    """A pointer to the float32 at an address, for ``numba.carray``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.float32)(types.intp), generate


@intrinsic
def store_byte(typing_context: Any, address: Any, value: Any) -> Any:
    """Write one byte."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], _BYTE.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.intp, types.uint8), generate


@intrinsic(prefer_literal=True)
def blend_to_bytes(
    typing_context: Any, channels: Any, out: Any, above: Any, below: Any, x: Any, y: Any
) -> Any:
    """Bilinear value of one pixel, rounded to the nearest level.

    ``above`` and ``below`` are the addresses of the left pixels of two rows, ``x`` and ``y`` the
    fractions in [0, 1). With three channels it reads eight bytes of each row and writes four.
    """
    count = channels.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = _blended(builder, count, *arguments[2:])
        _store_levels(builder, count, value, arguments[1], 4 if count == 3 else count)
        return context.get_dummy_value()

    return _blend_signature(channels), generate


@intrinsic(prefer_literal=True)
def blend_to_floats(
    typing_context: Any, channels: Any, out: Any, above: Any, below: Any, x: Any, y: Any
) -> Any:
    """As ``blend_to_bytes``, but float32 and not rounded; writes nothing beyond its channels."""
    count = channels.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = _blended(builder, count, *arguments[2:])
        builder.store(value, builder.inttoptr(arguments[1], value.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return _blend_signature(channels), generate


@intrinsic(prefer_literal=True)
def weigh_to_bytes(
    typing_context: Any, channels: Any, out: Any, corner: Any, steps: Any, shares: Any
) -> Any:
    """Weighted sum of four pixels, rounded; reads and writes nothing beyond their channels.

    ``corner`` is the address of the left upper one, ``steps`` the distances in bytes from it to
    the right one and to the lower one; ``shares`` are the weights of left upper, right upper,
    left lower and right lower.
    """
    count = channels.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = _weighed(builder, count, *arguments[2:])
        _store_levels(builder, count, value, arguments[1], count)
        return context.get_dummy_value()

    return _weigh_signature(channels), generate


@intrinsic(prefer_literal=True)
def weigh_to_floats(
    typing_context: Any, channels: Any, out: Any, corner: Any, steps: Any, shares: Any
) -> Any:
    """As ``weigh_to_bytes``, but float32 and not rounded."""
    count = channels.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = _weighed(builder, count, *arguments[2:])
        builder.store(value, builder.inttoptr(arguments[1], value.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return _weigh_signature(channels), generate


def _weigh_signature(channels: Any) -> Any:
    address = types.intp
    return types.void(
        channels,
        address,
        address,
        types.UniTuple(types.intp, 2),
        types.UniTuple(types.float32, 4),
    )


def _weighed(builder: Any, count: int, corner: Any, steps: Any, shares: Any) -> Any:
    right, below = (builder.extract_value(steps, place) for place in range(2))
    lower = builder.add(corner, below)
    places = (corner, builder.add(corner, right), lower, builder.add(lower, right))
    total = ir.Constant(ir.VectorType(_FLOAT, count), [0.0] * count)
    for place, address in enumerate(places):
        share = _spread(builder, builder.extract_value(shares, place), count)
        product = builder.fmul(_pair(builder, count, address), share, flags=_CONTRACT)
        total = builder.fadd(product, total, flags=_CONTRACT)
    return total


def _store_levels(builder: Any, count: int, value: Any, address: Any, width: int) -> None:
    """Round to the nearest level and write ``width`` bytes, the last level again beyond count."""
    half = ir.Constant(ir.VectorType(_FLOAT, count), [0.5] * count)
    levels = builder.fptosi(builder.fadd(value, half), ir.VectorType(_INT, count))
    narrow = builder.trunc(levels, ir.VectorType(_BYTE, count))
    if width > count:
        narrow = _picked(builder, narrow, [min(lane, count - 1) for lane in range(width)])
    builder.store(narrow, builder.inttoptr(address, narrow.type.as_pointer()), align=1)


def _blend_signature(channels: Any) -> Any:
    address, fraction = types.intp, types.float32
    return types.void(channels, address, address, address, fraction, fraction)


def _blended(builder: Any, count: int, above: Any, below: Any, x: Any, y: Any) -> Any:
    lanes = LANES_OF_A_PAIR[count]
    upper, lower = _pair(builder, lanes, above), _pair(builder, lanes, below)
    column = _mixed(builder, upper, lower, _spread(builder, y, lanes))
    left = _picked(builder, column, list(range(count)))
    right = _picked(builder, column, list(range(count, 2 * count)))
    return _mixed(builder, left, right, _spread(builder, x, count))


def _pair(builder: Any, lanes: int, address: Any) -> Any:
    pointer = builder.inttoptr(address, ir.VectorType(_BYTE, lanes).as_pointer())
    return builder.uitofp(builder.load(pointer, align=1), ir.VectorType(_FLOAT, lanes))


def _mixed(builder: Any, first: Any, second: Any, share: Any) -> Any:
    difference = builder.fsub(second, first)
    return builder.fadd(builder.fmul(difference, share, flags=_CONTRACT), first, flags=_CONTRACT)


def _spread(builder: Any, value: Any, lanes: int) -> Any:
    empty = ir.Constant(ir.VectorType(_FLOAT, lanes), ir.Undefined)
    single = builder.insert_element(empty, value, ir.Constant(_INT, 0))
    return _picked(builder, single, [0] * lanes)


def _picked(builder: Any, vector: Any, lanes: list[int]) -> Any:
    unused = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(
        vector, unused, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes)
    )
