"use strict";
// A conversation's page: a saved answer goes into the box where the cursor is, what is half written outlives the page's
// other buttons, what is new stays in sight, and what somebody has before them is read.
(() => {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-puts-in]");
    const field = button && document.getElementById(button.dataset.putsIn);
    if (!field) return;
    field.setRangeText(button.dataset.text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  // Kept in this tab for anyone who writes, until the console has taken it: the address says so, once.
  const keepWritten = (form, taken) => {
    const box = form.querySelector("textarea"), key = `written ${form.dataset.writtenBy} ${form.action}`;
    const kept = JSON.parse(sessionStorage.getItem(key) || "null");
    const write = (isSent) => {
      if (box.value) sessionStorage.setItem(key, JSON.stringify({ text: box.value, isSent }));
      else sessionStorage.removeItem(key);
    };
    if (kept?.isSent && form.getAttribute("action").endsWith(`/${taken}/`)) sessionStorage.removeItem(key);
    else if (kept && !box.value) {
      box.value = kept.text;
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
    box.addEventListener("input", () => write(false));
    form.addEventListener("submit", () => write(true));
  };
  const keepAllWritten = () => {
    const here = new URL(location.href), taken = here.searchParams.get("taken");
    here.searchParams.delete("taken");
    if (taken) history.replaceState(history.state, "", here);
    for (const form of document.querySelectorAll("form[data-written-by]")) keepWritten(form, taken);
  };

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
    keepAllWritten();
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
