// Parallel coordinates: every point of a sweep as a line through its parameters and figures. Dragging along an axis, or the fields below,
// keep the points that pass there; the table of the best points follows.

import { load } from "../drawing.js";
import { token } from "../theme.js";

const canvas = document.getElementById("coordinates-chart");
const count = document.getElementById("coordinates-count");
const clear = document.getElementById("coordinates-clear");
const fields = document.getElementById("coordinates-fields");
const TOP = 34;
const BOTTOM = 26;
const SIDE = 46;
const GRAB = 24;
const CLEAR_LINES = 150;
const STANDING_OUT = 3;
if (canvas) start();

async function start() {
  let data;
  try {
    data = await load(canvas.dataset.source);
  } catch (error) {
    count.textContent = `The points could not be loaded (${error.message}). Reload to try again.`;
    return;
  }
  if (!data.points.length) return;
  const names = [...data.parameters.map((name) => ({ name, title: plain(name), isPercent: false })), ...data.figures.map((item) => ({ name: item.key, title: item.title, isPercent: item.unit === "percent" }))];
  const axes = names.map((item, index) => axisOf(item, data.points.map((point) => point[index + 2])));
  const state = { axes, points: data.points, brushes: new Map(), drag: null };
  axes.forEach((axis, index) => addFields(state, axis, index));
  listen(state);
  new ResizeObserver(() => draw(state)).observe(canvas);
  document.addEventListener("theme:changed", () => draw(state));
}

function axisOf(item, values) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const high = Math.max(...known);
  return { ...item, low, high, span: high - low || 1 };
}

function draw(state) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  state.size = { width, height };
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const kept = state.points.filter((point) => isKept(state, point));
  const isFiltered = state.brushes.size > 0;
  drawLines(pen, state, isFiltered ? state.points : [], { color: token("line-strong"), alpha: 0.25 });
  drawRanked(pen, state, kept);
  state.axes.forEach((axis, index) => drawAxis(pen, state, axis, index));
  count.textContent = isFiltered ? `${kept.length} of ${state.points.length} points` : `${state.points.length} points`;
  clear.hidden = !isFiltered;
  const numbers = new Set(kept.map(([number]) => String(number)));
  document.querySelectorAll("#points-table [data-point]").forEach((row) => row.classList.toggle("is-out", isFiltered && !numbers.has(row.dataset.point)));
}

// The better a point, the stronger its line and the later it is drawn; points come best first.
function drawRanked(pen, state, kept) {
  const color = token("accent");
  const strength = Math.min(1, CLEAR_LINES / kept.length);
  [...kept].reverse().forEach((point, place) => {
    const rank = kept.length > 1 ? place / (kept.length - 1) : 1;
    drawLines(pen, state, [point], { color, alpha: place >= kept.length - STANDING_OUT ? 0.95 : 0.04 + 0.8 * strength * rank ** 3, width: place >= kept.length - STANDING_OUT ? 2 : 1 });
  });
}

function drawLines(pen, state, points, { color, alpha, width = 1 }) {
  pen.strokeStyle = color;
  pen.globalAlpha = alpha;
  pen.lineWidth = width;
  points.forEach((point) => {
    pen.beginPath();
    state.axes.forEach((axis, index) => {
      const value = point[index + 2];
      if (value !== null) pen.lineTo(x(state, index), y(state, axis, value));
    });
    pen.stroke();
  });
  pen.globalAlpha = 1;
}

function drawAxis(pen, state, axis, index) {
  const at = x(state, index);
  const brush = state.brushes.get(index);
  pen.strokeStyle = token("muted");
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(at, TOP);
  pen.lineTo(at, state.size.height - BOTTOM);
  pen.stroke();
  if (brush) {
    pen.fillStyle = token("focus");
    pen.globalAlpha = 0.35;
    const [from, to] = [y(state, axis, brush.high), y(state, axis, brush.low)];
    pen.fillRect(at - 6, from, 12, Math.max(to - from, 2));
    pen.globalAlpha = 1;
  }
  pen.fillStyle = token("text");
  pen.textAlign = "center";
  pen.fillText(short(axis.title), at, 12);
  pen.fillStyle = token("muted");
  pen.fillText(number(axis, axis.high), at, 27);
  pen.fillText(number(axis, axis.low), at, state.size.height - 9);
}

function listen(state) {
  canvas.addEventListener("pointerdown", (event) => {
    const index = nearest(state, event.offsetX);
    if (index === null) return;
    state.drag = { index, from: event.offsetY };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    canvas.style.cursor = nearest(state, event.offsetX) === null ? "" : "ns-resize";
    if (state.drag && Math.abs(event.offsetY - state.drag.from) > 3) brushTo(state, event.offsetY);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (state.drag && Math.abs(event.offsetY - state.drag.from) <= 3) setBrush(state, state.drag.index, null);
    state.drag = null;
  });
  canvas.addEventListener("pointercancel", () => (state.drag = null));
  clear.addEventListener("click", () => {
    [...state.brushes.keys()].forEach((index) => setBrush(state, index, null));
  });
}

function brushTo(state, offset) {
  const axis = state.axes[state.drag.index];
  const ends = [valueAt(state, axis, state.drag.from), valueAt(state, axis, offset)];
  setBrush(state, state.drag.index, { low: Math.min(...ends), high: Math.max(...ends) });
}

function setBrush(state, index, brush) {
  if (brush) state.brushes.set(index, brush);
  else state.brushes.delete(index);
  const [low, high] = fields.children[index].querySelectorAll("input");
  const axis = state.axes[index];
  if (document.activeElement !== low) low.value = brush ? typed(axis, brush.low) : "";
  if (document.activeElement !== high) high.value = brush ? typed(axis, brush.high) : "";
  draw(state);
}

function addFields(state, axis, index) {
  const group = document.createElement("fieldset");
  group.className = "field";
  const legend = document.createElement("legend");
  legend.textContent = `${axis.title}${axis.isPercent ? ", %" : ""}`;
  const inputs = ["from", "to"].map((name) => {
    const input = document.createElement("input");
    input.type = "number";
    input.step = "any";
    input.placeholder = `${name} ${typed(axis, name === "from" ? axis.low : axis.high)}`;
    input.setAttribute("aria-label", `${axis.title} ${name}`);
    return input;
  });
  inputs.forEach((input) => input.addEventListener("input", () => {
    const scale = axis.isPercent ? 100 : 1;
    const [low, high] = inputs.map((item) => (item.value === "" ? null : Number(item.value) / scale));
    setBrush(state, index, low === null && high === null ? null : { low: low ?? axis.low, high: high ?? axis.high });
  }));
  group.append(legend, ...inputs);
  fields.append(group);
}

function isKept(state, point) {
  return [...state.brushes].every(([index, { low, high }]) => {
    const value = point[index + 2];
    return value !== null && value >= low && value <= high;
  });
}

function nearest(state, offset) {
  const places = state.axes.map((_, index) => Math.abs(x(state, index) - offset));
  const best = places.indexOf(Math.min(...places));
  return places[best] <= GRAB ? best : null;
}

function x(state, index) {
  const step = (state.size.width - 2 * SIDE) / Math.max(state.axes.length - 1, 1);
  return SIDE + step * index;
}

function y(state, axis, value) {
  const share = Math.min(1, Math.max(0, (value - axis.low) / axis.span));
  return TOP + (1 - share) * (state.size.height - TOP - BOTTOM);
}

function valueAt(state, axis, offset) {
  const share = 1 - (offset - TOP) / (state.size.height - TOP - BOTTOM);
  return axis.low + Math.min(1, Math.max(0, share)) * axis.span;
}

function number(axis, value) {
  if (axis.isPercent) return `${(value * 100).toFixed(1)} %`;
  return value.toLocaleString("en-GB", { maximumSignificantDigits: 4 });
}

function typed(axis, value) {
  return String(Number((axis.isPercent ? value * 100 : value).toPrecision(4)));
}

function short(text) {
  return text.length > 16 ? `${text.slice(0, 15)}…` : text;
}

function plain(name) {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
