// The equity of several backtests from one hundred, on one time axis.

import { LineSeries, LineStyle } from "../../vendor/lightweight-charts/lightweight-charts.mjs";
import { chartOptions, colors, load, openChart } from "../drawing.js";

const place = document.getElementById("compare-chart");
const items = [...document.querySelectorAll("#compare-legend [data-run]")];
const NAMES = ["up", "down", "accent", "warn", "text", "muted", "up", "down"];
const DASHED_FROM = 6;
start();

async function start() {
  const found = await Promise.allSettled(items.map((item) => load(item.dataset.source)));
  const state = place.querySelector(".chart-state");
  if (!found.some((item) => item.status === "fulfilled" && item.value.equity.length > 1)) {
    state.textContent = "The curves could not be loaded. Reload to try again.";
    return;
  }
  state.remove();
  const chart = openChart(place);
  const lines = found.map((item, index) => (item.status === "fulfilled" && item.value.equity.length > 1 ? add(chart, item.value.equity, index) : null));
  const paint = () => {
    const now = colors();
    chart.applyOptions(chartOptions(now));
    lines.forEach((line, index) => {
      line?.applyOptions({ color: now[NAMES[index]] });
      items[index].querySelector(".swatch").style.background = now[NAMES[index]];
    });
  };
  paint();
  chart.timeScale().fitContent();
  document.addEventListener("theme:changed", paint);
}

function add(chart, points, index) {
  const line = chart.addSeries(LineSeries, { lineWidth: 2, lineStyle: index < DASHED_FROM ? LineStyle.Solid : LineStyle.Dashed, priceLineVisible: false, title: String(index + 1), priceFormat: { type: "price", precision: 1, minMove: 0.1 } });
  line.setData(points.map(([time, value]) => ({ time, value: (100 * value) / points[0][1] })));
  return line;
}
