# SPDX-License-Identifier: Apache-2.0
"""The page's style sheet and script; both stand in the page, which works offline."""

# Far apart for every eye (Okabe and Ito 2008), and visible on light and on dark paper.
PLOT_COLORS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#8a6d00",
    "#999999",
)

CSS = """
:root { --ink: #28323c; --soft: #5d6b78; --line: #dfe4e8; --paper: #f6f8fa; --accent: #0b6e99; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 44px 0 6px; }
p { max-width: 800px; margin: 6px 0 14px; color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 0; }
.tile { flex: 1 1 150px; background: #fff; border: 1px solid var(--line); border-radius: 8px;
  padding: 12px 16px; }
.tile b { display: block; font-size: 24px; line-height: 1.25; color: var(--accent);
  white-space: nowrap; }
.tile span { font-size: 13px; color: var(--soft); }
.card { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 14px;
  margin: 12px 0; }
.card img { display: block; }
.wide { width: 100%; height: auto; border-radius: 4px; }
.still { display: flex; gap: 16px; align-items: flex-start; }
.still > img { width: 48%; height: auto; border-radius: 4px; }
.views { display: flex; flex-wrap: wrap; gap: 10px; flex: 1; }
figure { margin: 0; }
figcaption { font-size: 12px; color: var(--soft); text-align: center; }
.strip { overflow-x: auto; }
.strip table { border-spacing: 4px; }
.strip img { width: 72px; height: 72px; border-radius: 3px; }
.strip th { font-size: 13px; font-weight: 600; text-align: left; padding-right: 8px;
  white-space: nowrap; }
.strip .empty { width: 72px; height: 72px; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  margin-right: 6px; vertical-align: -1px; }
table.numbers { border-collapse: collapse; }
table.numbers td, table.numbers th { padding: 5px 26px 5px 0; text-align: left; font-weight: 400;
  border-bottom: 1px solid var(--line); }
table.numbers td:first-child { color: var(--soft); }
table.numbers thead th { font-weight: 600; }
.controls { display: flex; gap: 12px; align-items: center; margin-top: 10px; }
.controls button { font: inherit; border: 1px solid var(--line); background: #fff;
  border-radius: 6px; padding: 4px 14px; cursor: pointer; }
.controls input { flex: 1; }
svg text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: var(--soft); }
footer { margin-top: 48px; font-size: 13px; color: var(--soft); }
code { background: #eaeef2; border-radius: 4px; padding: 1px 5px; font-size: 90%; }
@media (max-width: 760px) { .still { flex-direction: column; } .still > img { width: 100%; } }
"""

SCRIPT = """
const film = document.getElementById("film"), slider = document.getElementById("time");
if (film) {
  const frames = JSON.parse(document.getElementById("film-frames").textContent);
  const button = document.getElementById("play");
  let timer = null;
  const show = i => { slider.value = i; film.src = "data:image/jpeg;base64," + frames[i]; };
  const stop = () => { clearInterval(timer); timer = null; button.textContent = "Play"; };
  const play = () => { button.textContent = "Pause";
    timer = setInterval(() => show((+slider.value + 1) % frames.length), film.dataset.period); };
  slider.max = frames.length - 1;
  slider.oninput = () => { stop(); show(+slider.value); };
  button.onclick = () => timer ? stop() : play();
  play();
}
"""
