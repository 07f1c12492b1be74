# SPDX-License-Identifier: Apache-2.0
"""A recording is fetched from wherever fsspec reaches, whole and only once."""

import json
import socket
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

from stn_perception.bags import BagError


class Handler(SimpleHTTPRequestHandler):
    """Serves files and counts what is asked for; it lists no folders, as most servers."""

    asked: ClassVar[Counter] = Counter()
    looked_at: ClassVar[Counter] = Counter()
    short: ClassVar[set[str]] = set()
    may_send: ClassVar[threading.Event] = threading.Event()
    wanted_looks = 0

    def do_HEAD(self):
        super().do_HEAD()
        self.looked_at[self.path] += 1
        if self.looked_at[self.path] >= self.wanted_looks:
            self.may_send.set()

    def do_GET(self):
        self.asked[self.path] += 1
        self.may_send.wait(60)
        if self.path in self.short:  # as a connection that breaks
            data = Path(self.translate_path(self.path)).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        super().do_GET()

    def list_directory(self, path):
        self.send_error(403)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path):
    """Serve the folder of the test; gives the address, and the requests so far."""
    Handler.asked, Handler.looked_at, Handler.short = Counter(), Counter(), set()
    Handler.wanted_looks = 0
    Handler.may_send.set()
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))
    ) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_url_is_used_where_it_lies(bags):
    folder = bags.write()
    assert bags.open(f"file://{folder}").path == folder


@pytest.mark.parametrize("part", ["", "/bag_0.mcap"])
def test_a_bag_in_memory_is_fetched(bags, part):
    folder = bags.write()
    memory = fsspec.filesystem("memory")
    memory.put(f"{folder}/*", "/somewhere/drive/")
    name = folder.name if part else "drive"
    bag = bags.open(f"memory://somewhere/drive{part}")
    assert bags.read(bag.path) == bags.read(folder), name
    assert bag.path.is_relative_to(bags.cache) and not bag.losses
    assert bag.name == f"memory://somewhere/drive{part}"
    assert bag.sha256 == bags.open(folder).sha256
    memory.rm("/somewhere", recursive=True)


@pytest.mark.parametrize("inside", ["", "drive", "drive/bag_0.mcap"])
def test_a_bag_in_an_archive_is_fetched(bags, inside):
    folder = bags.write()
    archive = bags.folder / "all.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme.txt", "dear sir")
        for file in folder.iterdir():
            packed.write(file, f"drive/{file.name}")
    bag = bags.open(f"zip://{inside}::{archive}")
    assert bags.read(bag.path) == bags.read(folder)


def test_several_bags_at_an_address_are_listed(bags):
    folder = bags.write(numbers=range(2))
    with zipfile.ZipFile(bags.folder / "all.zip", "w") as packed:
        for name in ("north", "south"):
            packed.write(bags.storage(folder), f"{name}/bag.mcap")
    with pytest.raises(BagError, match=r"several bags at zip.*, name one of north, south\.$"):
        bags.open(f"zip://::{bags.folder / 'all.zip'}")


@pytest.mark.parametrize("part", ["", "/bag_0.mcap", "/bag_0.mcap?key=1/2"])
def test_a_bag_on_a_web_server_is_fetched_once(bags, server, part):
    folder = bags.write()
    for _ in range(3):
        bag = bags.open(f"{server}/bag{part}")
        assert bags.read(bag.path) == bags.read(folder)
    assert Handler.asked[f"/bag{part or '/bag_0.mcap'}"] == 1


def test_a_ros_1_bag_on_a_web_server_is_read(bags, server):
    noetic = get_typestore(Stores.ROS1_NOETIC)
    with Writer(bags.folder / "a.bag") as writer:
        topic = writer.add_connection("/a", "std_msgs/msg/String", typestore=noetic)
        message = noetic.types["std_msgs/msg/String"](data="word")
        writer.write(topic, 5, noetic.serialize_ros1(message, "std_msgs/msg/String"))
    bag = bags.open(f"{server}/a.bag")
    assert bags.read(bag.path) == [("/a", 5, b"\0\1\0\0\5\0\0\0word\0")]


def test_a_damaged_bag_on_a_web_server_is_salvaged(bags, server):
    file = bags.storage(bags.write())
    file.write_bytes(file.read_bytes()[:3_000_000])
    there, here = bags.open(f"{server}/bag/bag_0.mcap"), bags.open(file)
    assert (there.losses, there.sentences, there.sha256) == (
        here.losses,
        here.sentences,
        here.sha256,
    )
    assert bags.read(there.path) == bags.read(here.path)


def test_a_bag_that_changed_on_its_server_is_fetched_again(bags, server):
    folder = bags.write(numbers=range(4))
    assert len(bags.read(bags.open(f"{server}/bag/bag_0.mcap").path)) == 4
    other = bags.write("other", numbers=range(8))
    bags.storage(folder).write_bytes(bags.storage(other).read_bytes())
    assert len(bags.read(bags.open(f"{server}/bag/bag_0.mcap").path)) == 8


def test_a_bag_that_comes_incomplete_leaves_nothing(bags, server):
    bags.write()
    Handler.short = {"/bag/bag_0.mcap"}
    with pytest.raises(BagError, match=r"bag_0\.mcap .*\.$"):
        bags.open(f"{server}/bag/bag_0.mcap")
    assert [p.name for p in bags.cache.iterdir() if p.suffix != ".lock"] == []
    Handler.short = set()
    assert len(bags.read(bags.open(f"{server}/bag/bag_0.mcap").path)) == 60


OPEN = """
import json, sys
from pathlib import Path
from stn_perception.bags.opening import opened
bag = opened(sys.argv[1], Path(sys.argv[2]))
print(json.dumps([str(bag.path), dict(bag.losses), bag.sentences, bag.sha256]))
"""


def test_processes_that_open_a_bag_at_once_fetch_and_salvage_it_once(bags, server):
    file = bags.storage(bags.write())
    file.write_bytes(file.read_bytes()[:3_000_000])
    # Nothing is sent until each of the three has looked at the file and wants it.
    Handler.wanted_looks = 3
    Handler.may_send.clear()
    command = [sys.executable, "-c", OPEN, f"{server}/bag/bag_0.mcap", str(bags.cache)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    found = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(found) == 1
    assert Handler.asked["/bag/bag_0.mcap"] == 1
    path, losses, _, _ = json.loads(found.pop())
    assert losses and bags.read(Path(path))


@pytest.mark.parametrize(
    "uri",
    ["memory://nowhere/bag", "{server}/nowhere/bag.mcap", "{server}/nowhere", "nosuch://a/b.mcap",
     "http://127.0.0.1:9/bag.mcap", "zip://bag::/nowhere/all.zip"],
)  # fmt: skip
def test_what_cannot_be_fetched_is_said_in_one_sentence(bags, server, uri):
    uri = uri.format(server=server)
    with pytest.raises(BagError) as refusal:
        bags.open(uri)
    sentence = str(refusal.value)
    assert uri in sentence and sentence.endswith(".") and "\n" not in sentence


def test_a_server_without_the_bag_and_no_server_are_told_apart(bags, server):
    with pytest.raises(BagError, match=r"nowhere\.mcap cannot be fetched: 404"):
        bags.open(f"{server}/nowhere.mcap")
    with socket.socket() as free:  # bound, but nobody listens
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(BagError, match=r"a\.mcap cannot be fetched: Cannot connect to host"):
            bags.open(f"{address}/a.mcap")
