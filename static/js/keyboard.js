// One-key commands: `/` jump, `g` and a letter, `h` halt, `?` help, `p` pause or resume, `.` one step. Never while typing.

import { closeMenus, openDialog } from "./dialogs.js";

const GO = { o: "/", c: "/chart/", d: "/decisions/", e: "/events/", s: "/system/", r: "/orders/", p: "/portfolio/", m: "/models/", b: "/backtests/" };
let waitingForGo = 0;

export function startKeyboard() {
  document.addEventListener("keydown", onKey);
}

function onKey(event) {
  if (event.key === "Escape") return void closeMenus();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const handled = Date.now() < waitingForGo ? go(event.key) : command(event.key);
  if (handled) event.preventDefault();
}

function go(key) {
  waitingForGo = 0;
  if (!GO[key]) return false;
  window.location.assign(withVenue(GO[key]));
  return true;
}

function command(key) {
  if (key === "g") {
    waitingForGo = Date.now() + 1500;
    return true;
  }
  if (key === "/") return openDialog("jump-dialog");
  if (key === "h") return openDialog("halt-dialog");
  if (key === "?") return openDialog("help-dialog");
  if (key === "p") return press('[data-transport="toggle"]');
  if (key === ".") return press('[data-transport="step"]');
  return false;
}

function press(selector) {
  const button = document.querySelector(selector);
  if (!button || button.disabled) return false;
  button.click();
  return true;
}

function withVenue(path) {
  const venue = new URLSearchParams(window.location.search).get("venue");
  return venue ? `${path}?venue=${encodeURIComponent(venue)}` : path;
}

function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));
}
