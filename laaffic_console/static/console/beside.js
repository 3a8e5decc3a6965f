"use strict";
// A form with a column beside it that says what it would do. Whatever changes in the form is told as "written", and
// htmx asks what that means now (messaging/compose/live.html, messaging/audiences/beside.html).
(() => {
  const form = document.querySelector("form[data-beside]");
  if (!form) return;
  let changes = 0, asked = 0;
  const tell = () => form.dispatchEvent(new Event("written"));
  const written = () => {
    changes += 1;
    tell();
  };
  const trouble = document.querySelector("[data-live-status]");
  const say = (words) => { trouble.textContent = words; };
  let later = 0;
  // What is there is old then. Who was signed out asks in vain: nothing is answered to this form's token any more.
  const failed = ({ detail }) => {
    if (detail.target?.id !== "beside") return;
    const isTurnedAway = detail.xhr.status === 403;
    say(isTurnedAway ? form.dataset.turnedAway : form.dataset.lost);
    clearTimeout(later);
    if (!isTurnedAway) later = setTimeout(tell, 3000);
  };
  for (const name of ["responseError", "sendError", "timeout"]) document.addEventListener(`htmx:${name}`, failed);
  // One question at a time. What was written while its answer was under way, or just before that took the place of who
  // waited to ask, is asked about afterwards.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "beside") asked = changes;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "beside") return;
    say("");
    if (asked === changes) form.dispatchEvent(new Event("answered"));
    else tell();
  });
  form.addEventListener("input", written);
  form.addEventListener("change", written);
  // Lists that search tell jQuery alone.
  window.django?.jQuery?.(form).on("change", "select", written);

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.querySelector("[type=submit].main").click();
  });
})();
