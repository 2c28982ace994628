// The market chart: candles (or a line where only closes are known), volume, fills, forecast cones, price lines.

import { CandlestickSeries, HistogramSeries, LineSeries, LineStyle, createSeriesMarkers } from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { Cones, coneOf } from "./cones.js";
import { chartOptions, colors, faded, load, openChart } from "./drawing.js";

const place = document.getElementById("market-chart");
const status = document.getElementById("chart-status");
const legend = document.getElementById("chart-legend");
const PLACES = Number(place?.dataset.places ?? 2);
const PAST_CONES = 8;
const SHOWN_BARS = 160;
const SHOWN_ON_PHONE = 60;
const SPACE_AHEAD = 5;
if (place) start();

async function start() {
  let data;
  try {
    data = await load(place.dataset.source);
  } catch (error) {
    say(`The bars could not be loaded (${error.message}); the picture is the server's. Reload to try again.`);
    return;
  }
  if (!data.bars.length) return;
  const state = { data, bars: data.bars, now: data.now };
  const view = build(data);
  draw(view, state);
  showNewest(view.chart, state.bars.length);
  watch(view, state);
  document.addEventListener("theme:changed", () => repaint(view, state));
}

function build(data) {
  const now = colors();
  const chart = openChart(place);
  const price = { type: "price", precision: PLACES, minMove: 10 ** -PLACES };
  const bars = data.closes_only
    ? chart.addSeries(LineSeries, { color: now.up, lineWidth: 2, priceFormat: price })
    : chart.addSeries(CandlestickSeries, { ...candlePaint(now), priceFormat: price });
  const volume = data.closes_only ? null : chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", lastValueVisible: false, priceLineVisible: false });
  if (volume) {
    chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
  }
  chart.applyOptions({ localization: { timeFormatter: (time) => new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ") } });
  const cones = new Cones();
  bars.attachPrimitive(cones);
  const view = { chart, bars, volume, cones, markers: createSeriesMarkers(bars, []), lines: [] };
  chart.subscribeCrosshairMove((move) => showLegend(move, view));
  return view;
}

function draw(view, state) {
  const now = colors();
  const { data, bars } = state;
  const cones = data.forecasts.map((forecast) => coneOf(forecast, bars)).filter(Boolean);
  const ahead = (cones.at(-1)?.times ?? []).filter((time) => time > bars.at(-1)[0]).map((time) => ({ time }));
  view.bars.setData([...bars.map(([time, open, high, low, close]) => (data.closes_only ? { time, value: close } : { time, open, high, low, close })), ...ahead]);
  view.volume?.setData(bars.map(([time, open, , , close, volume]) => ({ time, value: volume, color: faded(close >= open ? now.up : now.down, 0.35) })));
  view.markers.setMarkers(data.fills.map((fill) => marker(fill, bars, now)).filter(Boolean).sort((a, b) => a.time - b.time));
  view.cones.set(spaced(cones), { fill: faded(now.accent, 0.28), line: now.accent, pastFill: faded(now.accent, 0.1), pastLine: faded(now.accent, 0.45) });
  drawLines(view, data, now);
  say(`${bars.length} bars to ${state.now.slice(0, 10)}.`);
  view.last = bars.at(-1);
  showLegend({}, view);
}

// The newest cone and, before it, past ones that do not overlap each other.
function spaced(cones) {
  const newest = cones.at(-1);
  const past = [];
  let edge = newest?.index ?? 0;
  for (const cone of cones.slice(0, -1).reverse()) {
    if (cone.index + cone.times.length - 1 > edge || past.length >= PAST_CONES) continue;
    past.unshift(cone);
    edge = cone.index;
  }
  return newest ? [...past, newest] : [];
}

function marker(fill, bars, now) {
  const bar = bars.find(([time]) => time >= fill.time);
  if (!bar) return null;
  const isBuy = fill.side === "BUY";
  return { time: bar[0], position: isBuy ? "belowBar" : "aboveBar", shape: isBuy ? "arrowUp" : "arrowDown", color: isBuy ? now.up : now.down, text: `${isBuy ? "+" : "−"}${fill.quantity}` };
}

function drawLines(view, data, now) {
  view.lines.forEach((line) => view.bars.removePriceLine(line));
  const color = { entry: now.muted, limit: now.accent, stop: now.warn };
  view.lines = data.lines.map((line) => view.bars.createPriceLine({ price: line.price, title: line.title, color: color[line.kind], lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: true }));
}

function watch(view, state) {
  let isLoading = false;
  document.addEventListener("live:message", async ({ detail }) => {
    if (!detail.now || detail.now === state.now || isLoading) return;
    isLoading = true;
    try {
      add(view, state, await load(place.dataset.source, { since: state.now }));
    } catch (error) {
      say(`Newer bars could not be loaded (${error.message}); trying again with the next one.`);
    } finally {
      isLoading = false;
    }
  });
}

// Whoever looks at the newest bars keeps seeing the newest; whoever looks back is not moved.
function add(view, state, newer) {
  const last = state.bars.at(-1)[0];
  const fresh = newer.bars.filter(([time]) => time > last);
  const range = view.chart.timeScale().getVisibleLogicalRange();
  const isAtEdge = range && range.to >= state.bars.length - 1;
  Object.assign(state, { bars: [...state.bars, ...fresh], now: newer.now, data: newer });
  draw(view, state);
  const shift = isAtEdge ? fresh.length : 0;
  if (range) view.chart.timeScale().setVisibleLogicalRange({ from: range.from + shift, to: range.to + shift });
}

function showLegend(move, view) {
  const shown = move.seriesData?.get(view.bars);
  const [time, open, high, low, close] = shown ? [move.time, shown.open, shown.high, shown.low, shown.close ?? shown.value] : (view.last ?? []);
  if (!time) return;
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const parts = place.dataset.closesOnly === "true" ? [["C", close]] : [["O", open], ["H", high], ["L", low], ["C", close]];
  legend.replaceChildren(item(date), ...parts.map(([name, value]) => item(`${name} `, value)));
}

function item(text, value) {
  const span = document.createElement("span");
  span.textContent = text;
  if (value === undefined) return span;
  const strong = document.createElement("b");
  strong.textContent = value.toLocaleString("en-GB", { minimumFractionDigits: PLACES, maximumFractionDigits: PLACES });
  span.append(strong);
  return span;
}

function showNewest(chart, count) {
  const shown = window.innerWidth < 640 ? SHOWN_ON_PHONE : SHOWN_BARS;
  chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, count - shown), to: count + SPACE_AHEAD });
}

function candlePaint(now) {
  return { upColor: now.up, borderUpColor: now.up, wickUpColor: now.up, downColor: now.surface, borderDownColor: now.down, wickDownColor: now.down };
}

function repaint(view, state) {
  const now = colors();
  view.chart.applyOptions(chartOptions(now));
  view.bars.applyOptions(view.volume ? candlePaint(now) : { color: now.up });
  draw(view, state);
}

function say(text) {
  status.textContent = text;
}
