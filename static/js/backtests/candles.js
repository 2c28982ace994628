// The trades of a backtest on the bars they were made on: a stretch at a time, newest first.

import { CandlestickSeries, LineSeries, createSeriesMarkers } from "../../vendor/lightweight-charts/lightweight-charts.mjs";
import { chartOptions, colors, faded, load, openChart } from "../drawing.js";

const place = document.getElementById("candles-chart");
const status = document.getElementById("candles-status");
const older = document.getElementById("candles-older");
const newest = document.getElementById("candles-newest");
const links = [...document.querySelectorAll("#trades-chart [data-symbol]")];
const SHOWN = 150;
const MOST_LABELS = 40;
let view = null;
let symbol = links[0]?.dataset.symbol;

links.forEach((link) =>
  link.addEventListener("click", (event) => {
    event.preventDefault();
    symbol = link.dataset.symbol;
    links.forEach((item) => (item === link ? item.setAttribute("aria-current", "page") : item.removeAttribute("aria-current")));
    show("");
  }),
);
older.addEventListener("click", () => show(view.data.before));
newest.addEventListener("click", () => show(""));
document.addEventListener("theme:changed", () => view && paint(view));
if (symbol) show("");

async function show(until) {
  let data;
  try {
    data = await load(place.dataset.source, { symbol, until });
  } catch (error) {
    status.textContent = `The bars could not be loaded (${error.message}). Try again.`;
    return;
  }
  older.disabled = !data.before;
  newest.disabled = !until;
  if (!data.bars.length) {
    status.textContent = "There are no bars of this instrument any more.";
    return;
  }
  place.querySelector(".chart-state")?.remove();
  view?.chart.remove();
  view = build(data);
  paint(view);
  view.chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, data.bars.length - SHOWN), to: data.bars.length + 3 });
  status.textContent = `${data.trades.length} trades on ${data.bars.length} ${data.seconds ? "candles" : "bars"}, ${moment(data, data.bars[0])} to ${moment(data, data.bars.at(-1))}. Arrows are entries and exits; at an exit its reason and result.`;
}

function build(data) {
  const chart = openChart(place);
  const price = { type: "price", precision: data.places, minMove: 10 ** -data.places };
  const bars = data.closes_only ? chart.addSeries(LineSeries, { lineWidth: 2, priceFormat: price }) : chart.addSeries(CandlestickSeries, { priceFormat: price });
  bars.setData(data.bars.map(([time, open, high, low, close]) => (data.closes_only ? { time, value: close } : { time, open, high, low, close })));
  return { chart, bars, data, markers: createSeriesMarkers(bars, []) };
}

function paint({ chart, bars, data, markers }) {
  const now = colors();
  const options = chartOptions(now);
  Object.assign(options.timeScale, { timeVisible: Boolean(data.seconds), secondsVisible: data.seconds < 60 });
  chart.applyOptions(options);
  bars.applyOptions(data.closes_only ? { color: faded(now.muted, 0.9) } : { upColor: now.up, borderUpColor: now.up, wickUpColor: now.up, downColor: now.surface, borderDownColor: now.down, wickDownColor: now.down });
  const first = data.bars[0][0];
  const last = data.bars.at(-1)[0];
  const isLabelled = data.trades.length <= MOST_LABELS;
  const both = data.trades.flatMap((trade) => [entry(trade, now, isLabelled), exit(trade, now, isLabelled)]);
  markers.setMarkers(both.filter(({ time }) => time >= first && time <= last).sort((a, b) => a.time - b.time));
}

function entry(trade, now, isLabelled) {
  const isLong = trade.side === "LONG";
  return { time: trade.opened, position: isLong ? "belowBar" : "aboveBar", shape: isLong ? "arrowUp" : "arrowDown", color: isLong ? now.up : now.down, text: isLabelled ? `${isLong ? "+" : "−"}${trade.quantity}` : "" };
}

function exit(trade, now, isLabelled) {
  const isLong = trade.side === "LONG";
  return { time: trade.closed, position: isLong ? "aboveBar" : "belowBar", shape: isLong ? "arrowDown" : "arrowUp", color: trade.result > 0 ? now.up : now.down, text: isLabelled ? `${trade.exit} ${trade.result > 0 ? "+" : "−"}${Math.abs(trade.result).toFixed(0)}` : "" };
}

// When a bar closed: the day, on candles of ticks the second.
function moment(data, [seconds]) {
  return new Date(seconds * 1000).toISOString().slice(0, data.seconds ? 19 : 10).replace("T", " ");
}
