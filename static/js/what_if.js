// The answer of a what-if: looked at until it is there. The server's markup is shown as it is.

const place = document.querySelector("[data-what-if]");
const PAUSE = 700;
const LONGEST_PAUSE = 8000;

if (place) look(PAUSE);

function look(pause) {
  if (!place.querySelector("[data-pending]")) return;
  window.setTimeout(() => read(pause), pause);
}

async function read(pause) {
  try {
    const answer = await fetch(place.dataset.source, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (answer.redirected) return window.location.reload();
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    const hadFocus = place.contains(document.activeElement);
    place.innerHTML = await answer.text();
    if (hadFocus) place.querySelector("button")?.focus();
    look(PAUSE);
  } catch {
    showLost();
    look(Math.min(pause * 2, LONGEST_PAUSE));
  }
}

function showLost() {
  const note = place.querySelector("[data-pending] .note");
  if (note) note.textContent = "The server does not answer; trying again.";
}
