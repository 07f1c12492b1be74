# SPDX-License-Identifier: Apache-2.0
"""`stn evaluate --write` gives what the node published, to the bit."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagReader
from stn_perception.bags.typestore import header_stamp_ns

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "duckiebot"
SLOTS, VIEW_PX = 6, 256  # as in the run that it is compared with
PARAMETERS = f"""
/**:
  ros__parameters:
    image_transport: compressed
    box_sigma: 0.005
    view_width: {VIEW_PX}
    view_height: {VIEW_PX}
    max_objects: {SLOTS}
    antialias: false
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    (folder / "params.yaml").write_text(PARAMETERS)
    command = [sys.executable, "-m", "stn_perception.cli", "evaluate", str(SAMPLE)]
    command += ["--params", str(folder / "params.yaml"), "--output", str(folder / "report")]
    command += ["--write", str(folder / "out.mcap"), "--workers", "2", "--probe-every", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "out.mcap"


def pixels_of(image):
    return np.reshape(image.data, (image.height, image.step // 3, 3))


def stamp_of(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


def messages(written: Path, suffix: str):
    """Slot (None outside of slots), stamp and content of each message on topics so ending."""
    with BagReader(written) as bag:
        topics = [name for name in bag.topics if name.endswith(suffix)]
        for message in bag.messages(topics):
            slot = message.topic.partition("/object_")[2].partition("/")[0]
            content = bag.deserialize(message)
            yield int(slot) if slot else None, header_stamp_ns(message.data), content


def test_the_input_is_there_as_it_was(written):
    def all_of(path):
        with BagReader(path) as bag:
            return [(m.topic, m.time_ns, m.data) for m in bag.messages()]

    before, after = all_of(SAMPLE), all_of(written)
    kept = [each for each in after if each[0] in {topic for topic, _, _ in before}]
    assert kept == before
    assert len(after) > len(before)
    times = [time for _, time, _ in after]
    assert times == sorted(times)


def test_every_view_has_the_nodes_pixels(written, planar_run):
    compared = 0
    for slot, stamp, image in messages(written, "/image_rect"):
        view = planar_run.pixels(f"view{slot}", stamp)
        np.testing.assert_array_equal(pixels_of(image), view)
        compared += 1
    assert compared == len(planar_run.views())


def test_every_view_has_the_nodes_camera(written, planar_run):
    compared = 0
    for slot, stamp, info in messages(written, "/object_0/camera_info"):
        node = planar_run.info(slot, stamp)
        assert info.header.frame_id == node["frame_id"]
        for name in ("k", "r", "p"):
            assert np.array(node[name]).tobytes() == np.array(getattr(info, name)).tobytes()
        compared += 1
    assert compared == sum(slot == 0 for slot, _ in planar_run.views())


def test_every_overlay_is_the_nodes(written, planar_run):
    stamps = set(planar_run.stamps("overlay"))
    assert stamps
    seen = Counter()
    for _, stamp, image in messages(written, "/overlay"):
        if stamp in stamps:
            np.testing.assert_array_equal(pixels_of(image), planar_run.pixels("overlay", stamp))
            seen[stamp] += 1
    assert set(seen) == stamps


def test_transforms_are_the_nodes(written, planar_run):
    compared = 0
    with BagReader(written) as bag:
        for message in bag.messages(["/tf"]):
            for transform in bag.deserialize(message).transforms:
                key = f"{transform.child_frame_id}@{stamp_of(transform.header.stamp)}"
                parent, turn = planar_run.transforms[key]
                own = transform.transform.rotation
                assert transform.header.frame_id == parent
                assert [own.x, own.y, own.z, own.w] == turn
                compared += 1
    assert compared == len(planar_run.transforms)


def test_every_frame_has_its_objects(written, truth):
    counts = {stamp: len(o.detections) for _, stamp, o in messages(written, "camera/objects")}
    assert counts == {stamp: len(frame["objects"]) for stamp, frame in truth.items()}
