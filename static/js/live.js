// The live part: one websocket. A snapshot first, then numbered updates; a number that is missing asks for a new snapshot.
// A lost socket shows the banner, greys every live value and tries again with a growing pause.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15000;

export function startLive() {
  const body = document.body;
  if (!body.dataset.live) return;
  const state = { pause: FIRST_PAUSE, sequence: 0, lostAt: 0 };
  connect(state, body);
  window.setInterval(showAges, 1000);
  showAges();
}

function connect(state, body) {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${window.location.host}/ws/live/?${address(body)}`);
  socket.addEventListener("message", (message) => receive(JSON.parse(message.data), state, body, socket));
  socket.addEventListener("close", (event) => lost(state, body, event));
}

function address(body) {
  const query = new URLSearchParams({ parts: body.dataset.live });
  const venue = new URLSearchParams(window.location.search).get("venue");
  if (venue) query.set("venue", venue);
  return query;
}

function receive(message, state, body, socket) {
  if (message.type === "snapshot") {
    state.pause = FIRST_PAUSE;
    state.lostAt = 0;
  } else if (message.sequence !== state.sequence + 1) {
    socket.send(JSON.stringify({ type: "resync" }));
    return;
  }
  state.sequence = message.sequence;
  Object.entries(message.html || {}).forEach(([name, markup]) => replace(name, markup));
  setSocket(body, "open");
  followVenue(message.venue, body);
  if (message.events?.length) document.dispatchEvent(new CustomEvent("live:events", { detail: message }));
  document.dispatchEvent(new CustomEvent("live:message", { detail: message }));
}

// A fresh run is another market with another account: the page starts over with it.
function followVenue(venue, body) {
  if (venue && body.dataset.venue && venue !== body.dataset.venue) window.location.assign(window.location.pathname.startsWith("/chart/") ? window.location.pathname : "/");
}

function replace(name, markup) {
  document.querySelectorAll(`[data-fragment="${name}"]`).forEach((place) => {
    if (place.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
    if (place.querySelector("details[open]") || place.dataset.frozen) return;
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.focus : "";
    place.innerHTML = markup;
    if (focused) place.querySelector(`[data-focus="${focused}"]`)?.focus();
  });
  showAges();
}

function lost(state, body, event) {
  if (event.code === 4401) {
    window.location.assign(`/login/?next=${encodeURIComponent(window.location.pathname + window.location.search)}`);
    return;
  }
  state.lostAt ||= Date.now();
  setSocket(body, "lost");
  window.setTimeout(() => connect(state, body), state.pause * (0.75 + Math.random() / 2));
  state.pause = Math.min(state.pause * 2, LONGEST_PAUSE);
}

function setSocket(body, value) {
  body.dataset.socket = value;
  const banner = document.getElementById("socket-banner");
  if (banner) banner.hidden = value === "open";
  document.querySelectorAll("[data-socket-state]").forEach((item) => {
    item.textContent = value === "open" ? "live" : "lost";
    item.previousElementSibling?.classList.toggle("dot-ok", value === "open");
    item.previousElementSibling?.classList.toggle("dot-bad", value !== "open");
  });
}

// Ages are counted here between updates, so that an old number never looks new.
function showAges() {
  const now = Date.now();
  document.querySelectorAll("[data-since]").forEach((item) => {
    const seconds = Math.max(0, Math.round((now - Date.parse(item.dataset.since)) / 1000));
    item.textContent = words(seconds);
    const limit = Number(item.dataset.staleAfter || 0);
    item.classList.toggle("down", Boolean(limit) && seconds > limit);
  });
}

function words(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}
