# SPDX-License-Identifier: Apache-2.0
"""`stn label` refuses in one sentence, serves, and ends with Ctrl-C."""

import argparse
import http.client
import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from stn_perception.bags import BagWriter, RosbagsFactory
from stn_perception.bags.labelling import command

JSON_TYPE = {"Content-Type": "application/json"}


def run(*arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([*map(str, arguments), "--no-browser"]))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refusal(*arguments):
    with pytest.raises(ValueError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_labelled_is_told_in_one_sentence(square_bag, square, tmp_path):
    assert "no bag at nowhere" in refusal("nowhere")
    assert "has no topic /rear/image" in refusal(square_bag, "--image", "/rear/image")
    assert "/words" in refusal(square_bag, "--image", "/words")
    assert "--every is 0" in refusal(square_bag, "--every", 0)
    assert "no such folder" in refusal(square_bag, "--output", "none/labels.json")
    with BagWriter(tmp_path / "words") as bag:
        bag.add_topic("/words", "std_msgs/msg/String")
        bag.write_message("/words", 0, RosbagsFactory().make("std_msgs/msg/String", data="x"))
    assert "holds no images" in refusal("words")
    square.write_bag(tmp_path / "two", [0, 1], ("/front/image", "/rear/image"))
    assert "several image topics, name one of /front/image, /rear/image" in refusal("two")


def test_a_port_that_is_taken_or_none_is_told_in_one_sentence(square_bag):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal(square_bag, "--port", port)
    assert said == f"no server can listen on 127.0.0.1, port {port}: Address already in use."
    assert "port 99999" in refusal(square_bag, "--port", 99999)


def test_the_labels_of_another_bag_stay_as_they_are(square_bag):
    content = '{"format": "stn_perception/truth", "version": 1, "frames": [{"stamp_ns": 3, '
    content += '"objects": []}]}'
    Path("labels.json").write_text(content)
    assert "belongs to another bag" in refusal(square_bag, "--output", "labels.json")
    assert Path("labels.json").read_text() == content


def test_ctrl_c_ends_it_and_tells_where_the_labels_are(square_bag, label_server, tmp_path):
    with label_server(str(square_bag), "--camera", "left") as server:
        address = urlsplit(server.url)
        connection = http.client.HTTPConnection(address.hostname, address.port)
        corners = [[10, 10], [30, 10], [30, 30], [10, 30]]
        place = {"do": "place", "object": "sign", "frame": 2, "corners": corners}
        body = {"edit": place, "number": 1, "sender": "test", "shown": 2}
        connection.request("POST", f"{address.path}edits", json.dumps(body), JSON_TYPE)
        assert connection.getresponse().status == 200
        connection.close()
        status, said = server.interrupt()
    assert status == 0
    assert "labels: square.labels.json: 1 objects, 1 labelled frames." in said
    assert json.loads((tmp_path / "square.labels.json").read_text())["frames"][0]["camera"] == (
        "left"
    )


def test_without_labels_no_file_is_left(square_bag, label_server, tmp_path):
    with label_server(str(square_bag)) as server:
        status, said = server.interrupt()
    assert status == 0
    assert "Nothing was labelled" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bag", "output"),
    [
        ("runs/morning", "morning.labels.json"),
        ("runs/morning/", "morning.labels.json"),
        ("morning.mcap", "morning.labels.json"),
        ("s3://bucket/runs/morning.bag?x=1", "morning.labels.json"),
    ],
)
def test_labels_are_named_after_the_bag(bag, output):
    assert str(command.output_path(bag)) == output


def test_what_was_confirmed_is_in_the_file_after_a_kill(square_bag, label_server, tmp_path):
    with label_server(str(square_bag), "--output", "labels.json") as server:
        address = urlsplit(server.url)
        connection = http.client.HTTPConnection(address.hostname, address.port)
        confirmed = 0
        killing = threading.Timer(0.5, server.process.kill)
        killing.start()
        while True:
            place = {"do": "place", "object": f"sign_{confirmed}", "frame": 2}
            place["corners"] = [[10, 10], [30, 10], [30, 30], [10, 30]]
            body = {"edit": place, "number": confirmed + 1, "sender": "test", "shown": 2}
            try:
                connection.request("POST", f"{address.path}edits", json.dumps(body), JSON_TYPE)
                assert connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                break
            confirmed += 1
        killing.join()
    (frame,) = json.loads(Path("labels.json").read_text())["frames"]
    # The one that was under way may be there too.
    assert len(frame["objects"]) in (confirmed, confirmed + 1)
    assert confirmed > 0
