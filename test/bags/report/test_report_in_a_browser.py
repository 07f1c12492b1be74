# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: it draws, answers the mouse, prints, and loads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from stn_perception.bags.report import write_report

from .making_report import drive, pictured

pytest.importorskip("plotly")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    found = drive()
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(found, pictured(found), path)
    return path


class Opened:
    """The drawn page and what it complained about or asked for."""

    def __init__(self, browser, path, **options) -> None:
        self.page = browser.new_page(offline=True, **options)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]", timeout=120_000)

    def each_plot(self, script: str) -> list:
        """What a script says about each plot's element."""
        return self.page.evaluate(f"[...document.querySelectorAll('.plot')].map({script})")


@pytest.fixture(scope="module")
def opened(browser, report) -> Iterator[Opened]:
    one = Opened(browser, report, viewport={"width": 1200, "height": 900})
    yield one
    one.page.close()


def color_of(page, selector: str) -> list[int]:
    color = page.evaluate(f"getComputedStyle(document.querySelector({selector!r})).fill")
    return [int(n) for n in re.findall(r"\d+", color)[:3]]


def test_it_draws_everything_without_a_complaint_or_a_request(opened, report) -> None:
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]
    marks = opened.each_plot("p => p.querySelectorAll('.trace path, .points path').length")
    assert len(marks) >= 15 and min(marks) >= 1
    inside = opened.each_plot(
        "p => p.querySelector('.main-svg').getBoundingClientRect().right"
        " <= p.closest('.card').getBoundingClientRect().right"
    )
    assert all(inside)
    assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_button_offers_to_send_the_figures_anywhere(opened) -> None:
    titles = opened.page.evaluate(
        "[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)"
    )
    assert "Download plot as a PNG" in titles
    assert not [title for title in titles if re.search("share|cloud|send", title, re.I)]


def test_pointing_at_a_bar_tells_its_value(opened) -> None:
    bars = opened.page.locator("#plot-histogram-corner_error_of_side .points path")
    bars.nth(20).scroll_into_view_if_needed()
    box = max((bars.nth(k).bounding_box() for k in range(5, 40)), key=lambda b: b["height"])
    opened.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    label = opened.page.wait_for_selector(
        "#plot-histogram-corner_error_of_side .hoverlayer .hovertext", timeout=20_000
    )
    assert re.search(r"[\d.]+ to [\d.]+ %: \d+ views, [\d.]+ %", label.text_content())


def test_it_prints_on_paper_with_its_plots_inside(browser, report) -> None:
    one = Opened(browser, report, viewport={"width": 1200, "height": 900})
    pdf = one.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", pdf)) >= 3
    # A page of the same width shows what the paper shows; the plots were drawn for the screen.
    one.page.emulate_media(media="print")
    sizes = one.each_plot(
        "p => [p.querySelector('.main-svg').getBoundingClientRect().width,"
        " p.getBoundingClientRect().width]"
    )
    assert all(drawn == pytest.approx(room, abs=1) for drawn, room in sizes)
    boxes = one.each_plot("p => p.querySelector('.main-svg').getAttribute('viewBox')")
    assert all(re.fullmatch(r"0 0 [\d.]+ [\d.]+", box) for box in boxes)
    one.page.close()


def test_texts_of_plots_are_light_in_the_dark_and_dark_on_paper(browser, report) -> None:
    one = Opened(browser, report, color_scheme="dark")
    tick = "#plot-by-object .ytick text"
    assert min(color_of(one.page, tick)) > 150
    one.page.emulate_media(media="print")
    assert max(color_of(one.page, tick)) < 130
    one.page.close()


def test_it_fits_a_narrow_window(browser, report) -> None:
    one = Opened(browser, report, viewport={"width": 420, "height": 800})
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lefts = one.each_plot("p => Math.round(p.getBoundingClientRect().left)")
    assert len(set(lefts)) == 1
    one.page.close()
