// The curves of a tear sheet: equity with its benchmark over drawdown on one time axis, rolling Sharpe ratios, and the spread of histories.

import { AreaSeries, LineSeries, LineStyle } from "../../vendor/lightweight-charts/lightweight-charts.mjs";
import { chartOptions, colors, faded, load, openChart } from "../drawing.js";

const equity = document.getElementById("equity-chart");
const rolling = document.getElementById("rolling-chart");
const spread = document.getElementById("histories-chart");
const QUIET = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false };
const DAY = 86400;
const paints = [];
const charts = [];

drawCurves();
drawHistories();
document.addEventListener("theme:changed", repaint);
window.matchMedia("print").addEventListener("change", () => {
  repaint(); // paper is light and has another width
  window.requestAnimationFrame(() => charts.forEach((chart) => chart.timeScale().fitContent()));
});

function repaint() {
  paints.forEach((paint) => paint(colors()));
}

async function drawCurves() {
  let data;
  try {
    data = await load(equity.dataset.source);
  } catch (error) {
    return say(rolling, `The curves could not be loaded (${error.message}); the picture above is the server's. Reload to try again.`);
  }
  if (data.equity.length > 1) drawEquity(data);
  drawRolling(data.rolling_sharpe.filter((item) => item.points.length > 1));
}

function drawEquity(data) {
  const chart = openChart(equity);
  const money = { type: "price", precision: 2, minMove: 0.01 };
  const line = chart.addSeries(AreaSeries, { lineWidth: 2, priceFormat: money });
  line.setData(series(data.equity));
  const held = data.benchmarks.map((item) => {
    const made = chart.addSeries(LineSeries, { ...QUIET, lineWidth: 1, lineStyle: LineStyle.Dashed, priceFormat: money });
    made.setData(series(item.points));
    return made;
  });
  const fall = chart.addSeries(AreaSeries, { ...QUIET, lineWidth: 1, invertFilledArea: true, priceFormat: { type: "custom", minMove: 0.01, formatter: (value) => `${value.toFixed(Math.abs(value) < 10 ? 2 : 1)} %` } }, 1);
  fall.setData(series(data.drawdown.map(([time, depth]) => [time, depth * 100])));
  chart.panes()[0].setStretchFactor(3);
  chart.panes()[1].setStretchFactor(1);
  const start = countedFrom(line, data);
  const paint = (now) => {
    chart.applyOptions(chartOptions(now));
    line.applyOptions({ lineColor: now.up, topColor: faded(now.up, 0.2), bottomColor: faded(now.up, 0.01) });
    held.forEach((item) => item.applyOptions({ color: now.muted }));
    fall.applyOptions({ lineColor: now.down, topColor: faded(now.down, 0.02), bottomColor: faded(now.down, 0.3) });
    start?.applyOptions({ color: now.accent });
  };
  begin(chart, paint);
}

// A level at the equity with which the bars that count begin.
function countedFrom(line, data) {
  const first = data.counted_since && data.equity.find(([time]) => time >= data.counted_since);
  return first ? line.createPriceLine({ price: first[1], lineStyle: LineStyle.Dotted, lineWidth: 1, axisLabelVisible: false, title: `counted from ${day(first[0])}` }) : null;
}

function drawRolling(curves) {
  if (!curves.length) return say(rolling, "There are too few days for a quarter of a year.");
  rolling.replaceChildren();
  const chart = openChart(rolling);
  const lines = curves.map((item) => {
    const made = chart.addSeries(LineSeries, { ...QUIET, lineWidth: 2, priceFormat: { type: "price", precision: 1, minMove: 0.1 } });
    made.setData(series(item.points));
    return made;
  });
  const zero = lines[0].createPriceLine({ price: 0, lineWidth: 1, lineStyle: LineStyle.Solid, axisLabelVisible: false, title: "" });
  const paint = (now) => {
    chart.applyOptions(chartOptions(now));
    lines.forEach((item, index) => item.applyOptions({ color: index ? now.accent : faded(now.muted, 0.6), lineWidth: index ? 2 : 1 }));
    zero.applyOptions({ color: now.muted });
  };
  begin(chart, paint);
}

async function drawHistories() {
  const state = document.getElementById("histories-state");
  state.textContent = "Drawing histories …";
  let found;
  try {
    ({ histories: found } = await load(spread.dataset.source));
  } catch (error) {
    state.textContent = `The histories could not be loaded (${error.message}). Reload to try again.`;
    return;
  }
  if (!found) {
    state.textContent = "There are too few days to draw from, or equity fell to zero.";
    return;
  }
  spread.replaceChildren();
  const chart = openChart(spread);
  const multiple = { type: "custom", minMove: 0.001, formatter: (value) => `${((value - 1) * 100).toFixed(1)} %` };
  const bands = found.levels.map((level, index) => {
    const made = chart.addSeries(LineSeries, { ...QUIET, lineWidth: level === 50 ? 2 : 1, lineStyle: level === 50 ? LineStyle.Solid : LineStyle.Dashed, priceFormat: multiple, lastValueVisible: true, title: `${level} %` });
    made.setData(found.days.map((at, place) => ({ time: at * DAY, value: found.bands[index][place] })));
    return made;
  });
  const actual = chart.addSeries(LineSeries, { ...QUIET, lineWidth: 2, priceFormat: multiple, title: "as it was" });
  actual.setData(found.days.map((at, place) => ({ time: at * DAY, value: found.actual[place] })));
  const paint = (now) => {
    const options = chartOptions(now);
    const dayOf = (time) => `day ${Math.round(time / DAY)}`;
    chart.applyOptions({ ...options, timeScale: { ...options.timeScale, tickMarkFormatter: (time) => String(Math.round(time / DAY)) }, localization: { timeFormatter: dayOf } });
    bands.forEach((item, index) => item.applyOptions({ color: found.levels[index] === 50 ? now.accent : faded(now.accent, 0.6) }));
    actual.applyOptions({ color: now.up });
  };
  begin(chart, paint);
  document.getElementById("histories-note").textContent = `${found.histories} histories in blocks of ${found.block_days} days, seed ${found.seed}; ${percent(found.probability_of_loss)} end with a loss, ${percent(found.probability_of_ruin)} fall to ${percent(found.ruin_level)}`;
  showTable(found);
}

function showTable(found) {
  const table = document.getElementById("histories-table");
  table.tHead.append(row("th", ["Percentile", ...found.levels.map((level) => `${level} %`)]));
  table.tBodies[0].append(row("td", ["Return", ...found.final_returns.map((value) => percent(value))]), row("td", ["Deepest drawdown", ...found.max_drawdowns.map((value) => percent(value))]));
  table.hidden = false;
}

function row(name, texts) {
  const made = document.createElement("tr");
  texts.forEach((text, index) => {
    const cell = document.createElement(name);
    cell.textContent = text;
    if (index) cell.className = "num";
    made.append(cell);
  });
  return made;
}

// Painted now and whenever the theme changes; all of it in view.
function begin(chart, paint) {
  charts.push(chart);
  paints.push(paint);
  paint(colors());
  chart.timeScale().fitContent();
}

function series(points) {
  return points.map(([time, value]) => ({ time, value }));
}

function say(place, text) {
  place.querySelector(".chart-state").textContent = text;
}

function day(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function percent(value) {
  return `${(value * 100).toFixed(1)} %`;
}
