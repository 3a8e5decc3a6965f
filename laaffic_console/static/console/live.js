"use strict";
// Parts of a page that move by themselves: fetched again every two seconds, not while the tab is hidden, and no more
// when they say that all is over. A part that was put in place tells so with the event "fresh".
(() => {
  // What somebody has typed, ticked, chosen or opened in a part survives when the part is fetched again.
  const FIELDS = "input:not([type=hidden], [type=submit], [type=button]), select, textarea";
  const fieldsOf = (root) => [...root.querySelectorAll(FIELDS)];
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const keyOf = (field) => {
    const form = field.form?.getAttribute("action") || field.form?.id || "";
    return [form, field.name || field.id, isTicked(field) ? field.value : ""].join(" ");
  };
  const isChanged = (field) => {
    if (isTicked(field)) return field.checked !== field.defaultChecked;
    if (field.type === "file") return field.files.length > 0;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    return field.value !== field.defaultValue;
  };
  const carry = (field, into) => {
    if (field.type === "file") into.files = field.files;
    else if (isTicked(field)) into.checked = field.checked;
    else if (field.options) {
      for (const option of into.options)
        option.selected = [...field.options].some((old) => old.value === option.value && old.selected);
    } else into.value = field.value;
    into.dispatchEvent(new Event("input", { bubbles: true }));
    into.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const keep = (old, fresh) => {
    const there = new Map(fieldsOf(fresh).map((field) => [keyOf(field), field]));
    for (const field of fieldsOf(old)) {
      const into = there.get(keyOf(field));
      if (into && isChanged(field) && !into.disabled) carry(field, into);
    }
    const opened = [...old.querySelectorAll("details")], again = [...fresh.querySelectorAll("details")];
    opened.forEach((details, at) => { if (again[at]) again[at].open = details.open; });
    const focused = document.activeElement;
    if (!old.contains(focused)) return;
    const into = fieldsOf(fresh)[fieldsOf(old).indexOf(focused)];
    const named = focused.id && fresh.querySelector(`#${CSS.escape(focused.id)}`);
    const found = there.get(keyOf(focused)) || named || into;
    return () => {
      found?.focus({ preventScroll: true });
      if (found?.setSelectionRange && focused.selectionStart !== null)
        try { found.setSelectionRange(focused.selectionStart, focused.selectionEnd); } catch { /* no text field */ }
    };
  };
  // For who listens: a sentence when something has changed, not more often than every fifteen seconds.
  const speaker = () => {
    const aloud = document.querySelector("[data-live-said]");
    let spokeAt = Date.now();
    return (fresh) => {
      if (!aloud || !fresh.dataset.says || fresh.dataset.says === aloud.textContent) return;
      if (fresh.dataset.liveOver !== "true" && Date.now() - spokeAt < 15000) return;
      aloud.textContent = fresh.dataset.says;
      spokeAt = Date.now();
    };
  };

  const fetched = async (address) => {
    const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // What says the same stays: a selection in it, an open list, what a screen reader reads just now.
  const putInPlace = (old, fresh) => {
    const last = fresh.innerHTML;
    if (last === old.dataset.last) return;
    for (const canvas of old.querySelectorAll("canvas.c-chart")) canvas.chart?.destroy();
    const focusAgain = keep(old, fresh);
    old.replaceWith(fresh);
    fresh.dataset.last = last;
    focusAgain?.();
    fresh.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
  };

  // Of a list only the cells that move: its ticks and its order stay.
  const putCells = (box, page) => {
    for (const cell of box.querySelectorAll(box.dataset.liveCells)) {
      const fresh = page.getElementById(cell.id);
      if (!fresh || fresh.innerHTML === (cell.dataset.last ?? cell.innerHTML)) continue;
      const hadFocus = cell.contains(document.activeElement);
      cell.dataset.last = fresh.innerHTML;
      cell.replaceChildren(...fresh.childNodes);
      if (hadFocus) cell.querySelector("a, button")?.focus({ preventScroll: true });
    }
  };

  const live = (box) => {
    const part = box.dataset.livePart;
    const every = Number(box.dataset.every || 2000);
    // What goes on beside the page's own work is silent about its troubles, and there at once.
    const isQuiet = "quiet" in box.dataset;
    const trouble = isQuiet ? null : document.querySelector("[data-live-status]");
    const speak = speaker();
    const say = (words) => {
      if (trouble) trouble.textContent = words;
    };
    const ask = async () => {
      try {
        const page = await fetched(box.dataset.live);
        const fresh = page.getElementById(part);
        const old = document.getElementById(part);
        if (box.dataset.liveCells) putCells(box, page);
        if (fresh && old) putInPlace(old, fresh);
        if (fresh) speak(fresh);
        if (fresh?.dataset.liveOver === "true") box.dataset.liveOver = "true";
        say("");
      } catch {
        say(box.dataset.lost || "Connection lost, trying again …");
      }
    };
    const again = async () => {
      if (box.dataset.liveOver === "true") return;
      if (!document.hidden) await ask();
      setTimeout(again, every);
    };
    if (isQuiet) again();
    else setTimeout(again, every);
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-live]").forEach(live));
})();
