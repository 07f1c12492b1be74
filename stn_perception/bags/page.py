# SPDX-License-Identifier: Apache-2.0
"""A page that shows a recording: frames beside their canonical views, in time, with numbers.

The page is one file without outside references, so it opens from any disk and in any mail.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stn_perception.bags.chart import line_chart
from stn_perception.bags.page_style import CSS, SCRIPT
from stn_perception.bags.pictures import (
    box_crop,
    colors_by_object,
    framed,
    jpeg,
    overlay,
    png,
    side_by_side,
)
from stn_perception.bags.recorded_frames import Picture, RecordedFrame, RecordedView
from stn_perception.bags.summary import RunSummary

FILM_FRAMES = 60
STRIP_FRAMES = 12
LIMIT_PERCENT = 2.0
Colors = dict[str, tuple[int, int, int]]


def write_page(folder: Path, frames: Sequence[RecordedFrame], summary: RunSummary) -> None:
    """Write ``index.html`` and ``demo.png`` into a folder.

    Args:
        folder: Exists.
        frames: Of one recording, in the order of their stamps.
        summary: The run's numbers.
    """
    colors = colors_by_object(frames)
    stills = [f for f in _one_per_picture(frames) if f.views]
    moving = [f for f in frames if f.part == "motion" and f.views]
    film = moving or [f for f in frames if f.views]
    sections = [
        _head(summary, frames),
        _film_section(film, colors) if film else "",
        _strip_section(film, colors) if film else "",
        _still_section(stills, colors) if stills else "",
        _error_section(frames, colors),
        _number_section(summary, frames),
        _foot(any(frame.part for frame in frames)),
    ]
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>stn_perception: canonical views</title><style>{CSS}</style></head><body><main>"
        f"{''.join(sections)}</main><script>{SCRIPT}</script></body></html>\n"
    )
    (folder / "index.html").write_text(text, encoding="utf-8")
    if film:
        hero = max(film, key=lambda f: len(f.views))
        (folder / "demo.png").write_bytes(png(side_by_side(hero, colors)))


def errors_percent(frames: Sequence[RecordedFrame], part: str = "") -> list[float]:
    """Corner errors of all views whose truth is known, in percent of the side."""
    chosen = [f for f in frames if not part or f.part == part]
    return [100 * error for frame in chosen for error in frame.errors().values()]


def _head(summary: RunSummary, frames: Sequence[RecordedFrame]) -> str:
    tiles = [
        (f"{summary.frames_received} of {summary.frames_published}", "frames received"),
        (str(summary.views_published), "canonical views published"),
    ]
    if (median := summary.latency(50)) is not None and (p99 := summary.latency(99)) is not None:
        tiles.append((f"{median:.0f} ms", f"median latency, p99 {p99:.0f} ms"))
    if errors := errors_percent(frames, "motion") or errors_percent(frames):
        tiles.append((f"{np.median(errors):.1f} %", "median corner error, of the object's side"))
    boxes = "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(name)}</span></div>'
        for value, name in tiles
    )
    return (
        "<h1>Every object, face on</h1>"
        "<p>A detector gives boxes; a box says nothing about how the object lies in it. For each "
        "box, a spatial transformer network finds the transform that makes the object canonical, "
        "and the node publishes that view as a camera of its own. All pictures below were "
        "recorded from its ROS 2 topics; the outlines are drawn from the views' own "
        "<code>camera_info</code>.</p>"
        f'<div class="tiles">{boxes}</div>'
    )


def _film_section(film: Sequence[RecordedFrame], colors: Colors) -> str:
    chosen = _spread(film, FILM_FRAMES)
    pictures = [_base64(jpeg(side_by_side(frame, colors, 400), 78)) for frame in chosen]
    seconds = (chosen[-1].stamp_ns - chosen[0].stamp_ns) / 1e9
    period_ms = max(30, round(1000 * seconds / max(1, len(chosen) - 1)))
    text = (
        "The camera turns over a table with road signs (a computed motion over a real picture, "
        "so the true corners are known). Left the frame with each view's outline, its top edge "
        "thick; right the views as published, square whatever the object's proportions."
        if film[0].part == "motion"
        else "Left the frame with each view's outline, its top edge thick; right the views."
    )
    return (
        f"<h2>In motion</h2><p>{text}</p>"
        f'<div class="card"><img id="film" class="wide" data-period="{period_ms}" alt="frames '
        f'and their views" src="data:image/jpeg;base64,{pictures[0]}">'
        '<div class="controls"><button id="play">Play</button>'
        '<input id="time" type="range" min="0" value="0" aria-label="time"></div></div>'
        f'<script type="application/json" id="film-frames">{json.dumps(pictures)}</script>'
    )


def _strip_section(film: Sequence[RecordedFrame], colors: Colors) -> str:
    chosen = _spread(film, STRIP_FRAMES)
    start_ns = film[0].stamp_ns
    head = "".join(f"<td>{(f.stamp_ns - start_ns) / 1e9:.1f} s</td>" for f in chosen)
    rows = [f'<tr><th></th><td class="label"></td>{head}</tr>']
    for name, color in colors.items():
        seen = [next((v for v in f.views if v.object_id == name), None) for f in chosen]
        if sum(view is not None for view in seen) < 3:
            continue
        swatch = f'<span class="swatch" style="background:{_css(color)}"></span>'
        boxes = "".join(
            _cell(None if view is None else box_crop(frame, view.quad, 96))
            for frame, view in zip(chosen, seen, strict=True)
        )
        views = "".join(_cell(None if view is None else framed(view, 96, color)) for view in seen)
        rows.append(f'<tr><th rowspan="2">{swatch}{_title(name)}</th><td>box</td>{boxes}</tr>')
        rows.append(f"<tr><td>view</td>{views}</tr>")
    return (
        "<h2>The box turns, the view stays</h2><p>The same object over time: above what the box "
        "holds, below its canonical view from its slot.</p>"
        f'<div class="card strip"><table>{"".join(rows)}</table></div>'
    )


def _still_section(stills: Sequence[RecordedFrame], colors: Colors) -> str:
    cards = []
    for frame in stills:
        views = "".join(_view_figure(view, colors) for view in frame.views)
        cards.append(
            f'<div class="card still">{_img(jpeg(overlay(frame, colors)))}'
            f'<div class="views">{views}</div></div>'
        )
    return (
        "<h2>Frames and their views</h2><p>Pictures of a real robot's camera: signs lying and "
        f"standing at all angles.</p>{''.join(cards)}"
        if any(f.part for f in stills)
        else f"<h2>Frames and their views</h2>{''.join(cards)}"
    )


def _error_section(frames: Sequence[RecordedFrame], colors: Colors) -> str:
    if not errors_percent(frames):
        return ""
    start_ns = frames[0].stamp_ns
    series: dict[str, list[tuple[float, float]]] = {}
    for frame in frames:
        for name, error in frame.errors().items():
            seconds = (frame.stamp_ns - start_ns) / 1e9
            series.setdefault(name, []).append((seconds, 100 * error))
    high = np.percentile(errors_percent(frames), 98)
    top = next((limit for limit in (5.0, 10.0, 20.0) if high < limit), 50.0)
    css = {name: _css(color) for name, color in colors.items()}
    legend = " ".join(
        f'<span class="swatch" style="background:{css[name]}"></span>{_title(name)}&ensp;'
        for name in series
    )
    rows = "".join(
        f"<tr><td>{title}</td><td>{len(values)}</td><td>{np.median(values):.2f} %</td>"
        f"<td>{np.percentile(values, 95):.2f} %</td>"
        f"<td>{100 * np.mean(np.array(values) <= LIMIT_PERCENT):.0f} %</td></tr>"
        for title, part in (("stills, labelled by hand", "still"), ("motion", "motion"))
        if (values := errors_percent(frames, part))
    )
    return (
        "<h2>How exact</h2><p>Mean distance of a view's corners from the true ones, in percent of "
        f"the object's mean side; dashed: {LIMIT_PERCENT:g} %. A panel has no up of its own: the "
        "least over quarter turns.</p>"
        f'<div class="card">{line_chart(series, css, LIMIT_PERCENT, top, "%")}{legend}</div>'
        '<table class="numbers"><thead><tr><th></th><th>views</th><th>median</th><th>95 %</th>'
        f"<th>within {LIMIT_PERCENT:g} %</th></tr></thead>{rows}</table>"
    )


def _number_section(summary: RunSummary, frames: Sequence[RecordedFrame]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
        for name, value in summary.rows()
    )
    return (
        "<h2>The run in numbers</h2><p>Player, node and recorder are separate processes on one "
        "machine, connected by the ROS 2 middleware. Latency: from a frame's publication to the "
        "arrival of each of its views, on the steady clock.</p>"
        f'<table class="numbers">{rows}</table>'
    )


def _foot(is_sample: bool) -> str:
    credit = " Pictures: duckietown/lib-dt-apriltags, BSD-2-Clause." if is_sample else ""
    return (
        "<footer>Everything that was received is in the rosbag2 recording beside this page, "
        f"<code>recording/</code>.{credit}</footer>"
    )


def _one_per_picture(frames: Sequence[RecordedFrame]) -> list[RecordedFrame]:
    """The last frame of each held still (its views have settled); without truth, a few."""
    stills = [f for f in frames if f.part == "still"]
    if not stills:
        return _spread([f for f in frames if f.part != "motion"], 6)
    chosen: list[RecordedFrame] = []
    previous: bytes = b""
    for frame in stills:
        data = bytes(frame.image.data)
        if data == previous:
            chosen[-1] = frame
        else:
            chosen.append(frame)
        previous = data
    return chosen


def _spread(frames: Sequence[RecordedFrame], count: int) -> list[RecordedFrame]:
    """At most ``count`` frames, evenly over time."""
    if len(frames) <= count:
        return list(frames)
    return [frames[round(i)] for i in np.linspace(0, len(frames) - 1, count)]


def _view_figure(view: RecordedView, colors: Colors) -> str:
    picture = _img(jpeg(framed(view, 150, colors[view.object_id]), 88))
    return f"<figure>{picture}<figcaption>{_title(view.object_id)}</figcaption></figure>"


def _cell(picture: Picture | None) -> str:
    if picture is None:
        return '<td><div class="empty"></div></td>'
    return f"<td>{_img(jpeg(picture))}</td>"


def _img(data: bytes) -> str:
    return f'<img alt="" src="data:image/jpeg;base64,{_base64(data)}">'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _title(object_id: str) -> str:
    return html.escape(object_id.replace("_", " "))


def _css(bgr: tuple[int, int, int]) -> str:
    return f"rgb({bgr[2]},{bgr[1]},{bgr[0]})"
