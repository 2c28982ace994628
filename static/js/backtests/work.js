// Backtests and sweeps under way: every live message names all of them with their progress. What has ended is shown by reading the page again.

const list = document.querySelector("[data-work-list]");
const own = document.querySelector("[data-work-own]");
const FIRST_LOOK = 5000;
const QUIET_SECONDS = 20;
const moved = new Map();
let known = new Set([...document.querySelectorAll("[data-work]")].map((item) => item.dataset.work));
let isReading = false;
let isSeen = false;
const openedAt = Date.now();

document.addEventListener("live:message", ({ detail }) => {
  const work = detail.work ?? [];
  work.forEach(show);
  const present = new Set(work.map((item) => item.id));
  const hasEnded = [...known].some((id) => !present.has(id));
  if (list) {
    list.querySelectorAll("[data-work]").forEach((row) => present.has(row.dataset.work) || row.remove());
    list.hidden = !list.querySelector("[data-work]");
  }
  if (own) followOwn(present.has(own.dataset.work));
  known = present;
  if (hasEnded && !own) readAgain();
});

// A page about one of them: it is read again when that one has ended, or when it was not among those that are named for a while.
function followOwn(isPresent) {
  if (isPresent) isSeen = true;
  else if (isSeen || Date.now() - openedAt > FIRST_LOOK) window.location.reload();
}

function show(item) {
  const row = document.querySelector(`[data-work="${item.id}"]`) ?? add(item);
  if (!row) return;
  row.querySelector("progress").value = item.total ? Math.min(100, (100 * item.done) / item.total) : 0;
  const state = row.querySelector("[data-work-state]");
  state.textContent = words(item.state);
  state.className = `tag ${item.state === "RUNNING" ? "tag-ok" : "tag-warn"}`;
  const message = row.querySelector("[data-work-message]");
  if (message) message.textContent = quiet(item) || (item.message === words(item.state) ? "" : item.message);
  if (item.state === "RUNNING") row.querySelector("[data-work-hint]")?.remove();
  const text = row.querySelector("[data-work-text]");
  if (item.total) text.textContent = `${item.done} of ${item.total} ${item.kind === "sweep" ? "points" : "bars"}`;
  else if (own && item.state === "RUNNING") text.textContent = "Loading bars.";
}

// What runs and has not moved for a while may have lost its worker: another one takes it up when the claim of the first has run out.
function quiet(item) {
  const last = moved.get(item.id);
  const mark = `${item.state} ${item.done}`;
  if (last?.mark !== mark) moved.set(item.id, { mark, at: Date.now() });
  const seconds = Math.floor((Date.now() - moved.get(item.id).at) / 1000);
  if (item.state !== "RUNNING" || seconds < QUIET_SECONDS) return "";
  return `No progress for ${seconds} s. If its worker has ended, another one begins again within two minutes.`;
}

function add(item) {
  if (!list) return null;
  const path = item.kind === "sweep" ? `/backtests/sweeps/${item.id}/` : `/backtests/${item.id}/`;
  const row = element("li");
  row.dataset.work = item.id;
  const line = element("div", "row");
  const link = element("a", "", `${item.kind === "sweep" ? "Sweep: " : ""}${item.title}`);
  link.href = path;
  const state = element("span", "tag");
  state.dataset.workState = "";
  const text = element("span", "row-end");
  text.dataset.workText = "";
  const bar = element("progress");
  bar.max = 100;
  bar.setAttribute("aria-label", `Progress of ${item.title}`);
  line.append(link, state, text);
  row.append(line, bar);
  list.querySelector("ul").append(row);
  list.hidden = false;
  return row;
}

// The list as it is now, with the boxes that are ticked here.
async function readAgain() {
  const place = document.querySelector("[data-refreshed]");
  if (!place || isReading) return;
  isReading = true;
  try {
    const answer = await fetch(window.location.href, { credentials: "same-origin" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(place.id);
    if (!answer.ok || !fresh) return;
    const ticked = [...place.querySelectorAll("input:checked")].map((box) => box.value);
    place.replaceChildren(...fresh.childNodes);
    place.querySelectorAll("input[type=checkbox]").forEach((box) => (box.checked = ticked.includes(box.value)));
  } finally {
    isReading = false;
  }
}

function words(state) {
  return state.charAt(0) + state.slice(1).toLowerCase();
}

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
