# SPDX-License-Identifier: Apache-2.0
"""What a side file says about an object, as validated models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictInt,
    model_validator,
)

from stn_perception.bags.truth.objects import TrueObject
from stn_perception.geometry import FloatArray, OrientedBox, is_convex_clockwise

Point = tuple[FiniteFloat, FiniteFloat]
Quad = tuple[Point, Point, Point, Point]
Length = Annotated[FiniteFloat, Field(gt=0)]


class SideBox(BaseModel):
    """An oriented box: centre and size in pixels, angle positive from +x towards +y."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    center: Point
    size: tuple[Length, Length]
    angle_rad: FiniteFloat = 0.0


class SideObject(BaseModel):
    """One object of a frame, by its corners or by its oriented box."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    id: str = ""
    class_id: Annotated[str, Field(alias="class")] = ""
    symmetry: Literal[1, 2, 4] = 1
    corners: Quad | None = None
    box: SideBox | None = None

    @model_validator(mode="after")
    def _says_where_it_is(self) -> SideObject:
        if (self.corners is None) == (self.box is None):
            raise ValueError(f"the object '{self.id}' needs either corners or a box")
        if self.corners is not None and not is_convex_clockwise(self.corners):
            raise ValueError(
                f"the object '{self.id}' has the corners {[list(c) for c in self.corners]}, "
                "expected top-left, top-right, bottom-right, bottom-left of a convex outline"
            )
        return self

    def true_object(self) -> TrueObject:
        """The object with its four corners."""
        return TrueObject(self.id, self.class_id, self._corners(), self.symmetry)

    def _corners(self) -> FloatArray:
        if self.box is not None:
            return OrientedBox(*self.box.center, *self.box.size, self.box.angle_rad).corners()
        return np.array(self.corners, dtype=np.float64)


def _as_list(objects: Any) -> Any:
    """The shorter form, corners by id, as a list of objects."""
    if not isinstance(objects, Mapping):
        return objects
    return [{"id": id, "corners": corners} for id, corners in objects.items()]


class SideFrame(BaseModel):
    """The objects of one frame; without a camera they are those of every camera."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stamp_ns: StrictInt
    camera: str = ""
    objects: Annotated[tuple[SideObject, ...], BeforeValidator(_as_list)]
