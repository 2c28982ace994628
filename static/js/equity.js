// The equity curve: the server's picture is replaced by one with a crosshair that grows with every bar.

import { AreaSeries, LineSeries, LineStyle } from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { chartOptions, colors, faded, load, openChart } from "./drawing.js";

const place = document.getElementById("equity-chart");
if (place) start();

async function start() {
  let points, benchmark;
  try {
    ({ points, benchmark } = await load(place.dataset.source));
  } catch {
    return; // the server's picture stays
  }
  if (points.length < 2) return;
  const chart = openChart(place);
  const series = chart.addSeries(AreaSeries, { ...paint(colors(), points), lineWidth: 2, priceFormat: { type: "price", precision: 2, minMove: 0.01 } });
  series.setData(points.map(([time, value]) => ({ time, value: Number(value) })));
  series.createPriceLine({ price: Number(points[0][1]), color: colors().muted, lineStyle: 2, lineWidth: 1, axisLabelVisible: false, title: "start" });
  const compared = benchmark ? compare(chart, benchmark, points[0][0]) : null;
  chart.timeScale().fitContent();
  let newest = points.at(-1)[0];
  let isMovedByHand = false;
  ["pointerdown", "wheel"].forEach((kind) => place.addEventListener(kind, () => (isMovedByHand = true), { passive: true }));

  document.addEventListener("live:message", () => {
    const tiles = document.getElementById("account-tiles");
    const time = tiles?.dataset.at ? Math.floor(Date.parse(tiles.dataset.at) / 1000) : 0;
    if (time < newest) return;
    newest = time;
    series.update({ time, value: Number(tiles.dataset.equity) });
    if (!isMovedByHand) chart.timeScale().fitContent();
  });
  document.addEventListener("theme:changed", () => {
    chart.applyOptions(chartOptions(colors()));
    series.applyOptions(paint(colors(), points));
    compared?.applyOptions({ color: colors().muted });
  });
}

// The index bought and held, as far as it was known when the page was made; named under the chart.
function compare(chart, benchmark, from) {
  const line = chart.addSeries(LineSeries, { color: colors().muted, lineWidth: 1, lineStyle: LineStyle.Dashed, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false });
  line.setData(benchmark.points.filter(([time]) => time >= from).map(([time, value]) => ({ time, value })));
  const label = document.createElement("span");
  label.textContent = `Dashed: ${benchmark.label}. `;
  place.nextElementSibling?.prepend(label);
  return line;
}

function paint(now, points) {
  const color = Number(points.at(-1)[1]) >= Number(points[0][1]) ? now.up : now.down;
  return { lineColor: color, topColor: faded(color, 0.22), bottomColor: faded(color, 0.01) };
}
