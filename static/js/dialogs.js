// Dialogs: a link with data-dialog opens the dialog of that id instead of its page, which is what works without scripts.

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener && openDialog(opener.dataset.dialog)) event.preventDefault();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    if (event.target instanceof HTMLDialogElement) event.target.close();
    closeMenusOutside(event.target);
  });
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}

export function closeMenus() {
  const open = document.querySelectorAll("details[data-menu][open]");
  open.forEach((menu) => menu.removeAttribute("open"));
  return open.length > 0;
}

function closeMenusOutside(target) {
  document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
    if (!menu.contains(target)) menu.removeAttribute("open");
  });
}
