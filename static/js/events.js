// The tail: new events on top, as they come, while the newest page is shown and it is not paused.

const tail = document.getElementById("tail");
const pause = document.getElementById("tail-pause");
const AT_MOST = 300;
const held = [];
let isPaused = false;

document.addEventListener("live:events", ({ detail }) => {
  const wanted = detail.events.filter(fits);
  if (detail.events_left_out) wanted.unshift({ leftOut: detail.events_left_out });
  if (isPaused || tail.dataset.isNewest !== "true") hold(wanted);
  else wanted.forEach(show);
  label();
});

pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  if (!isPaused) held.splice(0).forEach(show);
  label();
});

function fits(event) {
  const { type, priority } = tail.dataset;
  return (!type || event.type.startsWith(type)) && (!priority || event.priority === priority);
}

// No more is kept than the tail can show; what falls out is counted.
function hold(events) {
  held.push(...events);
  const dropped = held.splice(0, Math.max(0, held.length - AT_MOST));
  const count = dropped.reduce((sum, event) => sum + (event.leftOut || 1), 0);
  if (count) held.unshift({ leftOut: count + (held[0]?.leftOut ? held.shift().leftOut : 0) });
}

function show(event) {
  tail.querySelector(".empty")?.remove();
  if (event.leftOut) {
    tail.prepend(cell("div", "tail-gap", `About ${event.leftOut} more events came in between, faster than they can be shown here. Reload to read them all.`));
    return;
  }
  const row = document.createElement("div");
  row.className = `tail-row tail-${event.priority.toLowerCase()} flash`;
  const text = cell("span", "tail-text", `${event.text} `);
  if (event.path) {
    const link = cell("a", "", "open");
    link.href = event.path;
    text.append(link, " ");
  }
  text.append(cell("span", "faint small", event.actor));
  row.append(cell("span", "faint", event.position), cell("time", "nowrap", event.recorded_at.slice(11, 19)), cell("span", "tail-type", event.type), text);
  tail.prepend(row);
  while (tail.childElementCount > AT_MOST) tail.lastElementChild.remove();
}

function cell(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function label() {
  pause.lastChild.textContent = isPaused ? ` Go on (${held.length} new)` : " Pause";
}
