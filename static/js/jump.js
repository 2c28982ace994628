// The jump box: every link of the page's index that contains all typed words, best first, arrows and Enter to go.

export function startJump() {
  const dialog = document.getElementById("jump-dialog");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const links = [...dialog.querySelectorAll("[data-jump-item]")];
  let shown = links;
  let selected = 0;

  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = links.filter((link) => words.every((word) => link.textContent.toLowerCase().includes(word)));
    shown.sort((a, b) => startsWith(b, words) - startsWith(a, words));
    links.forEach((link) => (link.hidden = true));
    shown.slice(0, 12).forEach((link) => {
      link.hidden = false;
      link.parentElement.append(link);
    });
    select(0);
  };
  const select = (index) => {
    const count = Math.min(shown.length, 12);
    selected = count ? (index + count) % count : 0;
    links.forEach((link) => link.setAttribute("aria-selected", String(link === shown[selected])));
    shown[selected]?.scrollIntoView({ block: "nearest" });
  };

  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select(selected + 1);
    else if (event.key === "ArrowUp") select(selected - 1);
    else if (event.key === "Enter" && shown[selected]) window.location.assign(shown[selected].href);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("toggle", () => {
    if (!dialog.open) return;
    input.value = "";
    input.focus();
    show();
  });
}

function startsWith(link, words) {
  return words.length && link.textContent.trim().toLowerCase().startsWith(words[0]) ? 1 : 0;
}
