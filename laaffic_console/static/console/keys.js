"use strict";
// Keys that lead somewhere: "?" shows them, g and a letter opens a page, j and k go through rows. None of them acts.
(() => {
  const PATIENCE = 1500; // milliseconds for the letter after g
  const ROWS = "#result_list tbody tr.data-row, .c-conversations > li, .c-results > li, a.c-row, .c-row, a.c-notice";
  let wentAt = 0;

  const isTyping = (at) => at && (at.isContentEditable || /^(input|textarea|select)$/i.test(at.tagName));
  const isShown = (element) => element.checkVisibility?.() ?? true;
  const isTaken = () => {
    const palette = document.getElementById("search-input-command");
    return document.querySelector("dialog[open]") || (palette && isShown(palette));
  };

  const show = () => document.getElementById("keys")?.showModal();
  const go = (key) => {
    const place = document.querySelector(`#keys a[data-key="${CSS.escape(key)}"]`);
    if (place) location.href = place.href;
  };

  // The focus itself moves, to what opens the row: Enter does what it always does.
  const opener = (row) => (row.matches("a[href]") ? row : row.querySelector("th a[href], a[href]"));
  const step = (by) => {
    const rows = [...document.querySelectorAll(ROWS)].filter((row) => isShown(row) && opener(row));
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.contains(document.activeElement));
    const next = now < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by));
    opener(rows[next]).focus();
    rows[next].scrollIntoView({ block: "nearest" });
  };

  const ACTS = { "?": show, j: () => step(1), k: () => step(-1), g: () => { wentAt = Date.now(); } };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (isTyping(document.activeElement) || isTaken()) return;
    const isSecond = Date.now() - wentAt < PATIENCE;
    wentAt = 0;
    const act = isSecond ? () => go(event.key) : ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
