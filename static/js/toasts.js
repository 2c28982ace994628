// Short notices for fills, refusals and failures. Each kind can be muted; the choice stays in this browser.

const KINDS = {
  "trading.trade_executed": { kind: "fills", tone: (p) => (p.side === "BUY" ? "up" : "down"), title: (p) => `${p.side === "BUY" ? "Bought" : "Sold"} ${p.quantity} ${p.symbol}`, text: (p) => `at ${p.price}, fee ${p.fee} ${p.fee_asset}`, href: (p) => `/orders/${p.order_id}/` },
  "orders.order_rejected": { kind: "refusals", tone: () => "danger", title: () => "Order rejected by the venue", text: (p) => p.reason, href: (p) => `/orders/${p.order_id}/` },
  "orders.order_unknown": { kind: "errors", tone: () => "danger", title: () => "Order state unknown", text: (p) => p.reason, href: (p) => `/orders/${p.order_id}/` },
  "trading.risk_triggered": { kind: "refusals", tone: () => "danger", title: (p) => `Risk refused an order in ${p.symbol}`, text: (p) => p.message, href: () => "/decisions/?outcome=REFUSED_BY_RISK" },
  "trading.emergency_stop": { kind: "errors", tone: () => "danger", title: () => "Trading halted", text: (p) => p.reason, href: () => "/halt/" },
  "system.alert_raised": { kind: "errors", tone: () => "danger", title: (p) => p.title, text: (p) => p.message, href: () => "/system/" },
  "backtests.run_finished": { kind: "backtests", tone: (p) => (p.state === "DONE" ? "up" : "danger"), title: (p) => `Backtest of ${p.strategy} ${p.state.toLowerCase()}`, text: (p) => `${p.symbols}: ${p.message}`, href: (p) => `/backtests/${p.run_id}/` },
  "backtests.sweep_finished": { kind: "backtests", tone: (p) => (p.state === "DONE" ? "up" : "danger"), title: (p) => `Sweep of ${p.strategy} ${p.state.toLowerCase()}`, text: (p) => `${p.symbols}: ${p.points} points`, href: (p) => `/backtests/sweeps/${p.sweep_id}/` },
  "market.feed_failed": { kind: "errors", tone: () => "danger", title: () => "Market feed failed", text: (p) => p.message, href: () => "/system/" },
};
const AT_MOST = 4;
const SECONDS = 7;

export function startToasts() {
  document.addEventListener("live:events", (event) => event.detail.events.forEach(showEvent));
  document.querySelectorAll("[data-mute]").forEach((box) => {
    box.checked = !muted().includes(box.dataset.mute);
    box.addEventListener("change", () => setMuted(box.dataset.mute, !box.checked));
  });
}

function showEvent(event) {
  const known = KINDS[event.type];
  if (!known || muted().includes(known.kind)) return;
  const place = document.getElementById("toasts");
  while (place.childElementCount >= AT_MOST) place.firstElementChild.remove();
  place.append(build(known, event.payload || {}));
}

function build(known, payload) {
  const toast = document.createElement("div");
  toast.className = `toast toast-${known.tone(payload)}`;
  toast.setAttribute("role", "status");
  const link = document.createElement("a");
  link.href = known.href(payload);
  link.textContent = known.title(payload);
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => toast.remove());
  const text = document.createElement("small");
  text.textContent = known.text(payload);
  toast.append(link, close, text);
  window.setTimeout(() => toast.remove(), SECONDS * 1000);
  return toast;
}

function muted() {
  try {
    return JSON.parse(localStorage.getItem("muted") || "[]");
  } catch {
    return [];
  }
}

function setMuted(kind, isMuted) {
  const kinds = muted().filter((item) => item !== kind);
  localStorage.setItem("muted", JSON.stringify(isMuted ? [...kinds, kind] : kinds));
}
