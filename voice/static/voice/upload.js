"use strict";
// Sends the form with its progress. An invalid field is marked where it is, and the chosen file stays chosen.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-upload]");
  if (!form) return;
  const bar = form.querySelector("progress"), button = form.querySelector("button[type=submit]");
  const say = (errors) => {
    for (const place of form.querySelectorAll("[data-errors]"))
      place.textContent = (errors[place.dataset.errors] || []).join(" ");
    // What has no place of its own on this page is shown on top.
    const top = form.querySelector("[data-errors=__all__]") || form.querySelector("[data-errors]");
    for (const [name, said] of Object.entries(errors))
      if (top && !form.querySelector(`[data-errors="${name}"]`)) top.textContent += ` ${said.join(" ")}`;
    [...form.querySelectorAll("[data-errors]")].find((place) => place.textContent)?.scrollIntoView({ block: "center" });
  };
  const rest = () => { bar.hidden = true; button.disabled = false; };
  // Back in the browser brings the page as it was left, which may have been while it was sent.
  window.addEventListener("pageshow", (shown) => { if (shown.persisted) rest(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.setRequestHeader("X-Requested-With", "fetch");
    request.upload.addEventListener("progress", (sent) => {
      if (sent.lengthComputable) bar.value = sent.loaded / sent.total;
    });
    request.addEventListener("load", () => {
      // A person who was signed out, or has signed in again since this page was opened, is turned away. The form is
      // kept when it is sent by itself (kit/forms/kept_forms.py); that page says which file to choose again.
      if (request.status === 403 || new URL(request.responseURL).pathname.endsWith("/login/")) {
        form.submit();
        return;
      }
      try {
        const answer = JSON.parse(request.responseText);
        if (answer.next) { location.assign(answer.next); return; }
        if (answer.seen && form.elements._seen) form.elements._seen.value = answer.seen;
        say(answer.errors);
      } catch { say({ file: [form.dataset.lost] }); }
      rest();
    });
    request.addEventListener("error", () => { say({ file: [form.dataset.lost] }); rest(); });
    say({});
    bar.value = 0; bar.hidden = false; button.disabled = true;
    request.send(new FormData(form));
  });
});
