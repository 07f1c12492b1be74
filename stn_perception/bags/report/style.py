# SPDX-License-Identifier: Apache-2.0
"""What the report adds to the pages' style sheet, and the script that draws its plots."""

REPORT_CSS = """
:root { --card: #fff; --code: #eaeef2; --warm: #9a4a00; color-scheme: light dark; }
.tile, .card { background: var(--card); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(126px, 1fr)); }
.tile { padding: 10px 12px; }
.tile b { font-size: 22px; }
.tile span { display: block; line-height: 1.35; }
code { background: var(--code); overflow-wrap: anywhere; }
.verdict { border-left: 4px solid var(--accent); }
.verdict p, .told p { color: var(--ink); margin: 4px 0; max-width: none; }
.told { border-left: 4px solid var(--warm); }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 14px; }
.charts .whole { grid-column: 1 / -1; }
.chart figcaption { text-align: left; font-size: 13px; min-height: 20px; }
.chart figcaption b { color: var(--ink); font-size: 14px; }
.numbers { font-variant-numeric: tabular-nums; }
table.numbers td, table.numbers th { padding-right: 20px; vertical-align: top; }
table.numbers td.number, table.numbers th.number { text-align: right; white-space: nowrap; }
.wide-table { overflow-x: auto; margin: 0 0 14px; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(330px, 1fr)); gap: 14px; }
.worst figure { margin: 0; padding: 10px; }
.worst .pictures { display: flex; gap: 8px; align-items: flex-start; }
.worst .pictures img { border-radius: 4px; width: 58%; height: auto; }
.worst .pictures img + img { width: 40%; }
.worst figcaption { text-align: left; margin-top: 6px; overflow-wrap: anywhere; }
.worst figcaption b { color: var(--ink); font-size: 14px; }
.predicted { color: #2f9e41; font-weight: 600; } .true { color: #c645cf; font-weight: 600; }
.plot text { fill: var(--ink) !important; }
.plot .xtick text, .plot .ytick text { fill: var(--soft) !important; }
.plot .gridlayer path { stroke: var(--line) !important; }
.plot .zerolinelayer path { stroke: var(--soft) !important; }
.plot .hoverlayer .hovertext path { fill: var(--card) !important; stroke: var(--soft) !important; }
.plot .hoverlayer .hovertext rect { fill: var(--card) !important; }
.plot .modebar-btn path { fill: var(--soft) !important; }
.plot .modebar { background: transparent !important; }
@media (max-width: 760px) { .charts { grid-template-columns: minmax(0, 1fr); } }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ec; --soft: #a3afba; --line: #39434d; --paper: #14181c; --card: #1d2329;
    --code: #2a323a; --accent: #5cb8e0; --warm: #e9a35b; }
  .predicted { color: #5fd072; } .true { color: #ea8bf0; }
}
@media print {
  @page { size: A4; margin: 12mm; }
  :root { --paper: #fff; }
  body { font-size: 11px; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 20px; } h2 { font-size: 15px; margin-top: 22px; }
  h1, h2, h3, h2 + p { break-after: avoid; }
  .chart figcaption, .chart figcaption b, .worst figcaption b { font-size: 11px; }
  .tile, .card, tr, .worst figure { break-inside: avoid; }
  .tile b { font-size: 16px; }
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .worst { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .wide-table { overflow: visible; }
  .wide-table table.numbers td, .wide-table table.numbers th { padding-right: 10px; }
  .plot { height: auto !important; }
  .plot .svg-container { width: 100% !important; height: auto !important;
    aspect-ratio: var(--ratio); }
  .plot .main-svg { width: 100% !important; height: 100% !important; }
  .plot .xtick text, .plot .ytick text, .plot .g-xtitle text, .plot .g-ytitle text {
    font-size: 14px !important; }
  .plot .modebar-container { display: none; }
}
"""

# A plot's drawing gets a viewBox of its own size: then print can scale it, whatever the size of
# the window that it was drawn in.
REPORT_SCRIPT = """
const plots = JSON.parse(document.getElementById("plots").textContent);
const options = { responsive: true, displaylogo: false,
  showSendToCloud: false, plotlyServerURL: "",  // a recording's figures leave no machine
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
const fit = box => {
  for (const svg of box.querySelectorAll(".main-svg")) {
    const width = svg.getAttribute("width"), height = svg.getAttribute("height");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.parentElement.style.setProperty("--ratio", `${width} / ${height}`);
  }
};
const drawn = Object.entries(plots).map(([name, plot]) => {
  const box = document.getElementById(name);
  return Plotly.newPlot(box, plot.data, plot.layout, options).then(() => {
    fit(box);
    box.on("plotly_afterplot", () => fit(box));
  });
});
Promise.all(drawn).then(() => { document.body.dataset.ready = drawn.length; });
"""
