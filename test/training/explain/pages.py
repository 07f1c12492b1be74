# SPDX-License-Identifier: Apache-2.0
"""Make a page as its user does, and take it apart."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from stn_perception.cli import main

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


class Structure(HTMLParser):
    """Tags that are open and shut, what is referred to, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.counts: dict[str, int] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.references += [v or "" for k, v in attributes if k in ("src", "href", "xlink:href")]
        if tag not in ("meta", "img", "br", "link"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def explain(*arguments: str | Path) -> int:
    return main(["models", "explain", "planar", *map(str, arguments)])
