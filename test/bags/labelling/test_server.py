# SPDX-License-Identifier: Apache-2.0
"""The server answers its own page and nobody else."""

import http.client
import json
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from stn_perception.bags.labelling.access import Access

CORNERS = [[10, 10], [30, 10], [30, 30], [10, 30]]


@pytest.fixture
def server(served, square_bag, tmp_path):
    with served(square_bag, tmp_path / "labels.json") as server:
        yield server


def ask(server, path, method="GET", body=None, token=None, **headers):
    """Status and body of an answer; underscores in header names are dashes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.access.port)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    place = f"/{server.access.token if token is None else token}/{path}"
    connection.request(method, place, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def edit(server, **headers):
    corners = {"do": "place", "object": "sign", "frame": 2, "corners": CORNERS}
    body = json.dumps({"edit": corners, "number": 1, "sender": "test", "shown": 2})
    given = {"Content_Type": "application/json", **headers}
    return ask(server, "edits", "POST", body, **given)


def test_frames_are_sent_with_the_very_pixels_of_the_bag(server, square):
    for number in (7, 0, 12):
        answer, content = ask(server, f"frames/{number}/picture")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(pixels[:, :, ::-1], square.pixels(number))


def test_an_edit_is_answered_with_what_it_changed(server):
    answer, content = edit(server, Origin=f"http://127.0.0.1:{server.access.port}")
    assert answer.status == 200
    assert json.loads(content)["labels"] == [
        {"id": "sign", "corners": CORNERS, "origin": "key"},
    ]
    assert server.session.path.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1:1"},
        {"Host": "localhost:{port}", "Origin": "http://127.0.0.1:{port}"},
        {"Content_Type": "text/plain"},
    ],
)
def test_another_page_cannot_edit(server, headers):
    filled = {k: v.replace("{port}", str(server.access.port)) for k, v in headers.items()}
    answer, content = edit(server, **filled)
    assert answer.status in (403, 415)
    assert json.loads(content)["problem"]
    assert not server.session.path.exists()


@pytest.mark.parametrize("token", ["", "x", "page", "%00"])
@pytest.mark.parametrize("path", ["", "state", "frames/0/picture", "page/main.js"])
def test_without_the_token_nothing_is_shown(server, token, path):
    answer, content = ask(server, path, token=token)
    assert answer.status == 403
    assert "Open the whole address" in json.loads(content)["problem"]


@pytest.mark.parametrize(
    "path",
    [
        "page/../server.py",
        "page/..%2fserver.py",
        "page/",
        "page/none.js",
        "page//etc/passwd",
        "frames/13/picture",
        "frames/-1/labels",
        "frames/x/labels",
        "else",
    ],
)
def test_nothing_else_is_there(server, path):
    assert ask(server, path)[0].status == 404


def test_a_connection_goes_on_after_good_answers_and_bad_edits_leave_it_usable(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.access.port)
    headers = {"Content-Type": "application/json"}
    statuses = []
    for body in ("{}", "[]", "nonsense", json.dumps({"edit": {}, "number": 1, "shown": 0})):
        connection.request("POST", f"/{server.access.token}/edits", body, headers)
        answer = connection.getresponse()
        assert json.loads(answer.read())["problem"]
        statuses.append(answer.status)
    connection.close()
    assert statuses == [400, 400, 422, 400]


def test_the_page_may_load_nothing_from_elsewhere(server):
    answer, content = ask(server, "")
    assert answer.status == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert b"http" not in content


def test_it_listens_on_this_machine_only(server):
    assert server.server_address[0] == "127.0.0.1"
    assert urlsplit(server.access.url).hostname == "127.0.0.1"


def test_bound_to_every_address_it_takes_bare_addresses_and_no_foreign_names():
    access = Access("0.0.0.0", 8000)
    assert access.url.startswith("http://127.0.0.1:8000/")
    assert access.refusal("192.168.1.5:8000", "http://192.168.1.5:8000") == ""
    assert access.refusal("[fe80::1]:8000", None) == ""
    assert access.refusal("rebound.example:8000", "http://rebound.example:8000")
    assert Access("127.0.0.1", 8000).refusal("192.168.1.5:8000", None)


def test_every_start_has_a_token_of_its_own():
    assert len({Access("127.0.0.1", 1).token for _ in range(20)}) == 20
