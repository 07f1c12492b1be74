# SPDX-License-Identifier: Apache-2.0
"""A table of true corners reads as the JSON form does, and its wrong lines are named."""

from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagError
from stn_perception.bags.truth import SeenFrame
from stn_perception.bags.truth.side_file import side_file_truth

CORNERS = "stamp_ns,camera,id,class,x0,y0,x1,y1,x2,y2,x3,y3"
BOXES = "stamp_ns,camera,id,class,center_x,center_y,width,height,angle_rad"


def objects(folder: Path, *lines: str, camera: str = "left", stamp_ns: int = 7):
    path = folder / "truth.csv"
    path.write_text("\n".join(lines) + "\n")
    return side_file_truth(path, camera).objects(SeenFrame(camera, stamp_ns, "", 640, 480))


def test_one_line_is_one_object(tmp_path):
    first, second = objects(
        tmp_path,
        CORNERS,
        "7,left,sign_1,stop,1,2,11,2,11,22,1,22",
        "7,,sign_2,,1.5,2,11,2,11,22,1,22",
        "7,right,sign_3,stop,1,2,11,2,11,22,1,22",
        "8,left,sign_1,stop,1,2,11,2,11,22,1,22",
    )
    assert (first.id, first.class_id) == ("sign_1", "stop")
    np.testing.assert_array_equal(first.corners, [[1, 2], [11, 2], [11, 22], [1, 22]])
    assert (second.id, second.class_id, second.corners[0, 0]) == ("sign_2", "", 1.5)


def test_boxes_may_be_given_instead_of_corners(tmp_path):
    (box,) = objects(tmp_path, BOXES, "7,left,a,stop,100,50,40,20,0")
    np.testing.assert_array_equal(box.corners, [[80, 40], [120, 40], [120, 60], [80, 60]])


def test_camera_id_class_and_order_of_columns_are_free(tmp_path):
    (box,) = objects(
        tmp_path,
        "symmetry,center_x,center_y,width,height,angle_rad,stamp_ns",
        "4,100,50,40,20,0,7",
    )
    assert (box.id, box.class_id, box.symmetry) == ("", "", 4)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            [CORNERS, "7,left,a,b,1,2,11,2,11,22,1,22", "7,left,c,b,1,2,x,2,11,22,1,22"],
            "line 3: x1",
        ),
        (
            [CORNERS, "7.5,left,a,b,1,2,11,2,11,22,1,22"],
            "line 2: stamp_ns is '7.5', expected a wh",
        ),
        ([CORNERS, "7,left,a,b,1,2,11"], "line 2: it has not as many values"),
        ([CORNERS, "7,left,a,b,1,2,11,2,11,22,1,22,9"], "line 2: it has not as many values"),
        ([CORNERS, "7,left,a,b,1,2,1,22,11,22,11,2"], "line 2: .*expected top-left, top-right"),
        ([CORNERS, "7,left,a,b,1,2,nan,2,11,22,1,22"], "line 2: .*finite number"),
        ([BOXES, "7,left,a,b,1,2,0,4,0"], r"line 2: objects\[0\]\.box\.size\[0\] is 0\.0"),
        (["stamp,id,x0"], "columns stamp,id,x0, expected stamp_ns, camera, id, class"),
        ([CORNERS + ",angle_rad", "1"], "has the columns"),
        ([CORNERS + ",colour", "1"], "unknown column 'colour'"),
    ],
)
def test_wrong_lines_are_named(tmp_path, lines, expected):
    with pytest.raises(BagError, match=expected):
        objects(tmp_path, *lines)


def test_an_object_comes_once_a_frame(tmp_path):
    line = "7,left,a,b,1,2,11,2,11,22,1,22"
    with pytest.raises(BagError, match=r"line 3: the object 'a' comes twice at the stamp 7"):
        objects(tmp_path, CORNERS, line, line)
