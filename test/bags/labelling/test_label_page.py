# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: what is clicked is what the file says, and nothing gets lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

playwright_api = pytest.importorskip("playwright.sync_api")

PATIENCE_S = 20.0


class LabelPage:
    """The open page, used with mouse and keys; what it drew is measured in screenshots."""

    def __init__(self, browser, url: str, labels: Path, square, density: int = 1) -> None:
        size = {"width": 1200, "height": 800}
        self.page = browser.new_page(viewport=size, device_scale_factor=density)
        self.density = density
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.labels, self.square = labels, square
        self.open(url)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("body[data-ready]")

    def mark(self) -> tuple[float, float, float, float]:
        """Where the screen shows the marked pixel: left, top, width, height in screen pixels."""
        self.page.mouse.move(1190, 400)  # so that the cross is off the picture
        self.page.wait_for_timeout(60)
        shot = np.frombuffer(self.page.screenshot(), np.uint8)
        blue, green, red = cv2.split(cv2.imdecode(shot, cv2.IMREAD_COLOR).astype(int))
        ys, xs = np.nonzero((red > 200) & (green < 40) & (blue < 40))
        edges = (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1)
        left, top, width, height = (float(edge) / self.density for edge in edges)
        return left, top, width, height

    def screen(self, points) -> np.ndarray:
        """Frame points on the screen, by the drawn mark."""
        left, top, width, height = self.mark()
        assert width == height
        return (np.asarray(points) - self.square.mark + 0.5) * width + (left, top)

    def click(self, points) -> None:
        for x, y in self.screen(points):
            self.page.mouse.click(x, y)

    def zoom_to(self, percent: int) -> None:
        """With the keys, around the mark."""
        left, top, width, _ = self.mark()
        self.page.mouse.move(left + width / 2, top + width / 2)
        self.page.keyboard.press("0")
        for _ in range(40):
            self.page.wait_for_timeout(30)
            shown = self.page.locator("#place").text_content() or ""
            if shown.startswith(f"{percent} %"):
                return
            self.page.keyboard.press("+")
        raise AssertionError(f"no zoom of {percent} %, the last was {shown}")

    def go(self, number: int) -> None:
        """Click on the timeline."""
        box = self.page.locator("#timeline").bounding_box()
        part = number / (self.square.frames - 1)
        self.page.mouse.click(box["x"] + 8 + part * (box["width"] - 16), box["y"] + 8)
        self.shows("#frame", f"{number + 1} of ")

    def shows(self, selector: str, text: str) -> None:
        """Wait until a part of the page holds a text."""
        playwright_api.expect(self.page.locator(selector)).to_contain_text(text)

    def saved(self, is_there) -> dict:
        """The file's corners by object and frame, as soon as they are as expected."""
        end = time.monotonic() + PATIENCE_S
        while not is_there(found := corners_in(self.labels, self.square)):
            assert time.monotonic() < end, f"the file has {found}"
            self.page.wait_for_timeout(20)
        return found


def corners_in(path: Path, square) -> dict[tuple[str, int], np.ndarray]:
    if not path.exists():
        return {}
    return {
        (item["id"], square.stamps_ns.index(frame["stamp_ns"])): np.array(item["corners"])
        for frame in json.loads(path.read_text())["frames"]
        for item in frame["objects"]
    }


@pytest.fixture
def labels(tmp_path) -> Path:
    return tmp_path / "labels.json"


@pytest.fixture
def page(browser, served, square_bag, labels, square) -> Iterator[LabelPage]:
    with served(square_bag, labels) as server:
        opened = LabelPage(browser, server.access.url, labels, square)
        yield opened
        assert opened.errors == []
        opened.page.close()


@pytest.mark.parametrize("percent", [100, 300, 800])
def test_a_click_on_the_centre_of_a_drawn_pixel_is_that_pixel_exactly(page, percent):
    page.zoom_to(percent)
    assert page.mark()[2] == percent / 100
    page.click([page.square.mark, (20, 20), (20, 30), (10, 30)])
    found = page.saved(bool)["object_1", 0]
    assert found.tolist() == [[10.0, 20.0], [20.0, 20.0], [20.0, 30.0], [10.0, 30.0]]


def test_on_a_display_of_double_density_a_click_is_just_as_exact(
    browser, served, square_bag, labels, square
):
    with served(square_bag, labels) as server:
        page = LabelPage(browser, server.access.url, labels, square, density=2)
        page.zoom_to(100)
        page.click([square.mark, (20, 20), (20, 30), (10, 30)])
        found = page.saved(bool)["object_1", 0]
        page.page.close()
    assert found.tolist() == [[10.0, 20.0], [20.0, 20.0], [20.0, 30.0], [10.0, 30.0]]


def test_after_the_wheel_a_click_is_still_where_it_is_drawn(page):
    left, top, width, _ = page.mark()
    page.page.mouse.move(left + 3 * width, top + 2 * width)
    page.page.mouse.wheel(0, -370)
    left, top, grown, height = page.mark()
    assert grown > 1.8 * width
    centre = (left + grown / 2, top + height / 2)
    for dx, dy in ((0, 0), (200, 0), (200, 200), (0, 200)):
        page.page.mouse.click(centre[0] + dx, centre[1] + dy)
    found = page.saved(bool)["object_1", 0]
    assert np.abs(found[0] - page.square.mark).max() < 0.1


def test_two_key_frames_label_all_frames_between(page):
    truth = page.square.true_corners
    for number in (0, 12):
        page.go(number)
        page.click(truth(number))
        found = page.saved(lambda f, n=number: ("object_1", n) in f)
    assert sorted(number for _, number in found) == list(range(13))
    for (_, number), corners in found.items():
        limit = 0.1 if number in (0, 12) else 0.5
        assert np.abs(corners - truth(number)).max() < limit
    # Straight lines would be further off than the limit.
    middle = (found["object_1", 0] + found["object_1", 12]) / 2
    assert np.abs(middle - truth(6)).max() > 0.5
    page.page.reload()
    page.page.wait_for_selector("body[data-ready]")
    page.go(6)
    page.shows("#hint", "Interpolated")
    assert page.page.locator("#objects li").count() == 1


def test_corners_are_dragged_nudged_and_the_steps_taken_back(page):
    quad = np.array([[40.0, 30.0], [90.0, 30.0], [90.0, 80.0], [40.0, 80.0]])
    page.click(quad)
    page.saved(bool)
    start, end = page.screen([quad[2], (95.0, 84.0)])
    page.page.mouse.move(*start + 3)
    page.page.mouse.down()
    page.page.mouse.move(*(start + end) / 2)
    page.page.mouse.move(*end + 3)
    page.page.mouse.up()
    dragged = page.saved(lambda f: np.abs(f["object_1", 0][2] - (95, 84)).max() < 0.01)
    assert np.abs(np.delete(dragged["object_1", 0] - quad, 2, axis=0)).max() < 0.01
    for _ in range(3):
        page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("Shift+ArrowDown")
    page.saved(lambda f: np.abs(f["object_1", 0][2] - (94.7, 85)).max() < 0.01)
    page.page.keyboard.press("Control+z")
    page.saved(lambda f: np.abs(f["object_1", 0][2] - (95, 84)).max() < 0.01)
    page.page.keyboard.press("Control+z")
    page.saved(lambda f: np.abs(f["object_1", 0] - quad).max() < 0.01)
    page.page.keyboard.press("Control+z")
    page.saved(lambda f: not f)
    for _ in range(3):
        page.page.click("#redo")
    page.saved(lambda f: f and np.abs(f["object_1", 0][2] - (94.7, 85)).max() < 0.01)


def test_several_objects_have_ids_and_classes_and_one_leaves(page):
    small = np.array([[20.0, 60.0], [40.0, 60.0], [40.0, 80.0], [20.0, 80.0]])
    page.click(small)
    page.saved(bool)
    page.page.fill("#id", "sign")
    page.page.fill("#class", "stop")
    page.page.keyboard.press("Enter")
    page.saved(lambda f: ("sign", 0) in f)
    page.page.keyboard.press("n")
    page.click(small + np.array([60, -30]))
    page.saved(lambda f: len(f) == 2)
    page.go(8)
    page.page.keyboard.press("c")  # the second object stands still
    page.saved(lambda f: len(f) == 10)
    page.go(3)
    page.page.click("#leave")
    found = page.saved(lambda f: len(f) == 6)
    assert sorted(n for name, n in found if name == "object_1") == [0, 1, 2, 3, 8]
    page.page.keyboard.press("e")
    page.shows("#frame", "9 of ")
    page.page.keyboard.press("Delete")
    page.saved(lambda f: len(f) == 5)
    page.page.click("#objects li:first-child")
    page.page.click("#remove")
    assert {name for name, _ in page.saved(lambda f: len(f) == 4)} == {"object_1"}


def test_corners_in_the_wrong_order_are_refused_and_said_on_the_page(page):
    page.click([(40, 30), (40, 80), (90, 80), (90, 30)])
    page.shows("#problem", "no convex outline")
    assert page.page.locator("#objects li").count() == 0
    page.click([(40, 30), (90, 30), (90, 80), (40, 80)])
    page.saved(bool)


def test_nothing_is_lost_when_the_server_is_killed_and_started_again(
    browser, label_server, square_bag, labels, square
):
    quad = np.array([[40.0, 30.0], [90.0, 30.0], [90.0, 80.0], [40.0, 80.0]])
    arguments = (str(square_bag), "--output", str(labels))
    with label_server(*arguments) as server:
        first = LabelPage(browser, server.url, labels, square)
        first.click(quad)
        saved = first.saved(bool)
        first.shows("#saved", "all saved")
        server.process.kill()
        server.process.wait()
        first.page.keyboard.press("1")
        first.page.keyboard.press("ArrowRight")
        first.shows("#saved", "1 change not saved: no server")
        first.shows("#hint", "Start stn label again")
        first.page.keyboard.press("ArrowRight")
        first.shows("#saved", "1 change not saved: no server")
        kept = corners_in(labels, square)
        assert np.array_equal(kept["object_1", 0], saved["object_1", 0])
    with label_server(*arguments) as server:
        second = LabelPage(browser, server.url, labels, square)
        assert second.page.locator("#objects li").count() == 1
        second.go(12)
        second.click(quad + 24)
        found = second.saved(lambda f: len(f) == 13)
        assert np.abs(found["object_1", 6] - quad - 12).max() < 0.1
    for opened in (first, second):
        assert opened.errors == []
        opened.page.close()


def test_half_a_turn_between_key_frames_is_said_on_the_frame(page):
    quad = np.array([[40.0, 30.0], [90.0, 30.0], [90.0, 80.0], [40.0, 80.0]])
    page.click(quad)
    page.saved(bool)
    page.go(12)
    page.click(quad[[2, 3, 0, 1]])
    found = page.saved(lambda f: len(f) > 1)
    assert ("object_1", 6) not in found
    page.go(3)
    page.shows("#note", "On straight lines here: object_1")
    page.go(6)
    page.shows("#note", "No label for object_1 here: add a key frame.")
