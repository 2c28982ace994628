// What the charts share: colours from the stylesheet's tokens, and loading with plain words for what went wrong.

import { createChart } from "../vendor/lightweight-charts/lightweight-charts.mjs";
import { token } from "./theme.js";

export function colors() {
  const names = ["up", "down", "accent", "line", "muted", "surface", "text", "warn"];
  return Object.fromEntries(names.map((name) => [name, token(name)]));
}

// The same colour, see-through: rgb(1, 2, 3) -> rgba(1, 2, 3, share).
export function faded(color, share) {
  return color.replace(/^rgba?\(([^)]*)\)$/, (_, inside) => `rgba(${inside.split(",").slice(0, 3).join(",")},${share})`);
}

export function chartOptions(now) {
  const narrow = window.innerWidth < 640;
  return {
    autoSize: true,
    layout: { background: { color: now.surface }, textColor: now.muted, attributionLogo: false, fontSize: 11, panes: { separatorColor: now.line } },
    grid: { vertLines: { color: faded(now.line, 0.5) }, horzLines: { color: faded(now.line, 0.7) } },
    rightPriceScale: { borderColor: now.line, minimumWidth: narrow ? 0 : 64 },
    timeScale: { borderColor: now.line, timeVisible: false, rightOffset: 6, minBarSpacing: 0.2 },
    crosshair: { mode: 0 },
    handleScroll: { vertTouchDrag: false },
  };
}

export function openChart(place) {
  place.querySelector("svg")?.remove();
  return createChart(place, chartOptions(colors()));
}

export async function load(path, parameters = {}) {
  const address = new URL(path, window.location.href);
  Object.entries(parameters).forEach(([name, value]) => value && address.searchParams.set(name, value));
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}
