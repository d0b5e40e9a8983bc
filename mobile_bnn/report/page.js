// Draws the page's charts from the JSON beside each, and fits them again to the paper when the page is printed.
"use strict";
const blocks = [...document.querySelectorAll("script[data-chart]")];
for (const block of blocks) {
  const { data, layout } = JSON.parse(block.textContent);
  Plotly.newPlot(block.dataset.chart, data, layout, { responsive: true, displayModeBar: false });
}
const refit = () => blocks.forEach((block) => Plotly.Plots.resize(block.dataset.chart));
window.matchMedia("print").addEventListener("change", refit);
