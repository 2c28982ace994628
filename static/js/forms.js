// Forms that came with a live fragment carry no CSRF token (the fragment is shared between readers): it is added from the cookie.

export function startForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    addToken(form);
    guardAgainstTwice(form, event);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
    if (event.target.form) showWhatApplies(event.target.form);
  });
  document.querySelectorAll("form").forEach(showWhatApplies);
}

// A field with data-applies="order_type:LIMIT,STOP_LIMIT" is there while the form's order_type is one of these, and is not sent otherwise.
function showWhatApplies(form) {
  for (const field of form.querySelectorAll("[data-applies]")) {
    const [name, values] = field.dataset.applies.split(":");
    const applies = values.split(",").includes(form.elements[name]?.value);
    field.hidden = !applies;
    for (const input of field.querySelectorAll("input, select")) input.disabled = !applies;
  }
}

function addToken(form) {
  if (form.querySelector('[name="csrfmiddlewaretoken"]')) return;
  const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
  if (!token) return;
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = "csrfmiddlewaretoken";
  input.value = token[1];
  form.append(input);
}

function guardAgainstTwice(form, event) {
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  window.setTimeout(() => delete form.dataset.sent, 3000);
}
