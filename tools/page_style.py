"""How the page of a report looks, in light and in dark."""

from __future__ import annotations

STYLE = """
:root { --back: #ffffff; --card: #f6f7f9; --ink: #1c2733; --dim: #66727f; --line: #dfe3e8; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12171d; --card: #1b222b; --ink: #e4e9ee; --dim: #96a2ae; --line: #2e3843; }
}
body { background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; max-width: 1240px;
  margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .4rem; } h2 { font-size: 1rem; margin: 0; }
header p { margin: .15rem 0; } .dim, section > p, .tiles span { color: var(--dim); font-size: .85rem; }
section > p { margin: 0 0 .3rem; }
.passed, .failed { font-size: .9rem; padding: .15rem .6rem; border-radius: 1rem; color: #fff; vertical-align: middle; }
.passed { background: #1b8574; } .failed { background: #c23b50; }
.broken, .missed { color: #d1495b; font-weight: 600; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(135px, 1fr)); gap: .7rem; margin: 1.1rem 0; }
.tiles div, section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .7rem .9rem; }
.tiles b { display: block; font-size: 1.35rem; } .tiles small { font-size: .8rem; font-weight: 400; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)); gap: .9rem; }
section { min-width: 0; } .words { margin-top: .9rem; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; }
th { font-weight: 400; color: var(--dim); } pre { overflow: auto; font-size: .8rem; } summary { cursor: pointer; }
"""

SCRIPT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
function recolour() {
  const style = getComputedStyle(document.documentElement);
  const [ink, line, card] = ["--ink", "--line", "--card"].map(name => style.getPropertyValue(name).trim());
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    // The first ones were drawn before there were others beside them.
    Plotly.Plots.resize(plot);
    Plotly.relayout(plot, {
      "font.color": ink, "font.family": "system-ui, sans-serif", "hoverlabel.bgcolor": card,
      "xaxis.gridcolor": line, "yaxis.gridcolor": line, "xaxis.linecolor": line, "yaxis.linecolor": line,
    });
  }
}
dark.addEventListener("change", recolour);
recolour();
"""
