# SPDX-License-Identifier: Apache-2.0
"""The page as one file that needs no network and prints well."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from stn_perception.runtime.archive import ModelArchive

CSS = """
:root { --ink: #28323c; --soft: #5d6b78; --line: #dfe4e8; --accent: #0b6e99; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 22px 60px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 40px 0 6px; border-top: 1px solid var(--line); padding-top: 16px; }
h3 { font-size: 16px; margin: 24px 0 4px; }
p { max-width: 820px; margin: 6px 0 12px; color: var(--soft); }
svg { max-width: 100%; height: auto; }
svg.picture, figure img { border-radius: 3px; vertical-align: top; }
.tiles, .cards { display: flex; flex-wrap: wrap; gap: 12px; }
.tile { flex: 1 1 150px; border: 1px solid var(--line); border-radius: 6px; padding: 9px 14px; }
.tile b { display: block; font-size: 22px; line-height: 1.25; color: var(--accent); }
.tile span { font-size: 13px; color: var(--soft); }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 8px;
  break-inside: avoid; }
figure > div { display: flex; gap: 6px; align-items: flex-start; }
figcaption { font-size: 12px; line-height: 1.4; color: var(--soft); margin-top: 4px;
  max-width: 460px; overflow-wrap: anywhere; }
table.numbers { border-collapse: collapse; margin: 8px 0; }
table.numbers td, table.numbers th { padding: 4px 22px 4px 0; text-align: left;
  border-bottom: 1px solid var(--line); font-weight: 400; }
table.numbers th { font-weight: 600; }
code { background: #eef1f4; border-radius: 4px; padding: 1px 5px; font-size: 90%;
  overflow-wrap: anywhere; }
@media print {
  main { max-width: none; padding: 0; } h2, h3 { break-after: avoid; }
  body { -webkit-print-color-adjust: exact; print-color-adjust: exact; font-size: 11px; }
}
"""


def page(
    archive: ModelArchive,
    source: str,
    command: str,
    numbers: Mapping[str, Any],
    sections: Sequence[str],
) -> str:
    """Return the whole document.

    Args:
        archive: the model it is about.
        source: a sentence on what it was looked at with.
        command: what makes this page again.
        numbers: of ``page_numbers``.
        sections: HTML, in order.
    """
    card = archive.card
    title = f"{card.name} {card.version}"
    tiles = "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(name)}</span></div>'
        for value, name in _tiles(numbers)
    )
    digest = numbers["weights_sha256"]
    about = (
        f"<h1>What {html.escape(title)} does, and why</h1>"
        f"<p>{html.escape(card.description.strip())}</p><p>{html.escape(source)}</p>"
        f'<div class="tiles">{tiles}</div>'
        '<table class="numbers"><tbody>'
        f"<tr><td>command</td><td><code>{html.escape(command)}</code></td></tr>"
        f"<tr><td>model</td><td>{html.escape(archive.path.name)} ({archive.format}), "
        f"{html.escape(card.family)}, symmetry {card.symmetry}, "
        f"{card.refinement_steps} refinement steps</td></tr>"
        f"<tr><td>weights' SHA-256</td><td><code>{digest}</code></td></tr>"
        f"<tr><td>file's SHA-256</td><td><code>{numbers['file_sha256']}</code></td></tr>"
        "</tbody></table>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)} explained</title><style>{CSS}</style></head>"
        f"<body><main>{about}{''.join(sections)}</main></body></html>\n"
    )


def _tiles(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    tiles = [(str(numbers["cases"]), f"cases, {numbers['with_truth']} with known truth")]
    if error := numbers.get("error_of_side"):
        tiles += [
            (f"{100 * error['median']:.1f} %", "median corner error, of the object's side"),
            (f"{100 * error['p95']:.1f} %", "95th percentile"),
        ]
    if found := numbers.get("reliability"):
        one = next(row for row in found["within"] if row["sigmas"] == 1)
        tiles.append((f"{100 * one['share']['value']:.0f} %", "of errors within 1 σ (honest: 68)"))
    if classes := numbers.get("classes"):
        tiles.append((f"{100 * classes['right']:.1f} %", "of the classes right"))
    refused = sum(numbers["refused"].values())
    if refused:
        tiles.append((str(refused), "cases without a view"))
    return tiles
