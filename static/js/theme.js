// Dark or light: the reader's system decides until the toggle is used; the choice is a cookie, so that the server renders it at once.

const root = document.documentElement;
const systemLight = window.matchMedia("(prefers-color-scheme: light)");

export function currentTheme() {
  return root.dataset.theme || (systemLight.matches ? "light" : "dark");
}

export function startTheme() {
  document.querySelectorAll("[data-theme-toggle]").forEach((button) => button.addEventListener("click", toggle));
  systemLight.addEventListener("change", announce);
}

function toggle() {
  root.dataset.theme = currentTheme() === "light" ? "dark" : "light";
  document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  announce();
}

function announce() {
  document.dispatchEvent(new CustomEvent("theme:changed", { detail: currentTheme() }));
}

// The colour behind a token, resolved for the current theme (canvas drawing cannot read custom properties).
export function token(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
