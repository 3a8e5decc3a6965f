"use strict";
// A conversation's page: a saved answer goes into the box where the cursor is, what is new stays in sight, and what
// somebody has before them is read.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-puts-in]");
    const field = button && document.getElementById(button.dataset.putsIn);
    if (!field) return;
    field.setRangeText(button.dataset.text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  const tell = () => {
    const form = document.querySelector("form[data-seen]");
    if (!form || document.hidden) return;
    const body = new FormData(form);
    form.remove();
    fetch(form.action, { method: "POST", body }).catch(() => {}); // it stays unread
  };

  const end = () => document.getElementById("end");
  let atEnd = true;
  document.addEventListener("DOMContentLoaded", () => {
    tell();
    if (!end()) return;
    new IntersectionObserver(([seen]) => { atEnd = seen.isIntersecting; }).observe(end());
  });
  document.addEventListener("visibilitychange", tell);
  document.addEventListener("fresh", () => {
    tell();
    if (atEnd) end()?.scrollIntoView({ block: "end" });
  });
})();
