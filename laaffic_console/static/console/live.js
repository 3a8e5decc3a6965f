"use strict";
// Parts of a page that move by themselves: htmx fetches them again (templates/console/live.html), and this extension
// says when it may, and puts what came in place. A part that was put in place tells so with the event "fresh".
(() => {
  // A question that is never answered, as after a sleep, would hold back those after it forever.
  htmx.config.timeout = 15000;

  // What somebody has typed, ticked, chosen or opened in a part survives when the part is fetched again.
  const FIELDS = "input:not([type=hidden], [type=submit], [type=button]), select, textarea";
  const fieldsOf = (root) => [...root.querySelectorAll(FIELDS)];
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const keyOf = (field) => {
    // A part that just came is in no page yet, and there a form that is named by its id is not found.
    const named = field.getAttribute("form");
    const form = named || field.form?.getAttribute("action") || field.form?.id || "";
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
  // The keyboard stays where it was, on a field, a link, a button or a word, also where its neighbours came or went.
  const REACHED = `${FIELDS}, a[href], button, summary, [tabindex]`;
  const nameOf = (one) => {
    if (one.id) return one.id;
    if (one.matches(FIELDS)) return keyOf(one);
    return [one.tagName, one.getAttribute("href") ?? one.textContent.trim()].join(" ");
  };
  const again = (focused, old, fresh) => {
    const before = [...old.querySelectorAll(REACHED)], now = [...fresh.querySelectorAll(REACHED)];
    const alike = (all) => all.filter((one) => nameOf(one) === nameOf(focused));
    const at = alike(before).indexOf(focused), found = alike(now);
    if (found.length) return found[Math.min(at, found.length - 1)];
    const instead = now[before.indexOf(focused)];
    return instead?.tagName === focused.tagName ? instead : undefined;
  };
  // Of what can be opened, for a neighbour may have come or gone; figures in it may have moved.
  const headingOf = (details) =>
    details.id || (details.querySelector("summary")?.textContent ?? "").replace(/[\d\s.,]+/g, " ").trim();
  const keep = (old, fresh) => {
    const there = new Map(fieldsOf(fresh).map((field) => [keyOf(field), field]));
    for (const field of fieldsOf(old)) {
      const into = there.get(keyOf(field));
      if (!into || into.disabled || !isChanged(field)) continue;
      // What was said to a sentence is not said to the one that has come in its place (laws).
      if (field.dataset.about === into.dataset.about) carry(field, into);
    }
    const drawn = [...fresh.querySelectorAll("details")];
    const headed = (all, one) => all.filter((each) => headingOf(each) === headingOf(one));
    const opened = [...old.querySelectorAll("details")];
    for (const details of opened) {
      const now = headed(drawn, details)[headed(opened, details).indexOf(details)];
      if (now) now.open = details.open;
    }
    const focused = document.activeElement;
    if (!old.contains(focused)) return;
    const found = again(focused, old, fresh);
    return () => {
      found?.focus({ preventScroll: true });
      if (found?.setSelectionRange && focused.selectionStart !== null)
        try { found.setSelectionRange(focused.selectionStart, focused.selectionEnd); } catch { /* no text field */ }
    };
  };
  // For screen readers: a sentence when something has changed, not more often than every fifteen seconds.
  let spokeAt = Date.now();
  const isOver = (part) => !part.hasAttribute("hx-get");
  const speak = (fresh) => {
    const aloud = document.querySelector("[data-live-said]");
    if (!aloud || !fresh.dataset.says || fresh.dataset.says === aloud.textContent) return;
    if (!isOver(fresh) && Date.now() - spokeAt < 15000) return;
    aloud.textContent = fresh.dataset.says;
    spokeAt = Date.now();
  };
  // What goes on beside the page's own work is silent about its troubles.
  const say = (part, words) => {
    const trouble = document.querySelector("[data-live-status]");
    if (trouble && !("quiet" in part.dataset)) trouble.textContent = words;
  };
  const lost = (part) => say(part, part.dataset.lost);
  // Anyone who signs in again in another tab is back here as well; what is gone does not come back.
  const IS_SIGN_IN = /\/login\/$/;
  const signedOut = new WeakSet();
  // The sign-in page leads to the front page who has signed in while the part was fetched: the next answer tells.
  const comesBack = new WeakSet();
  const noPart = (part) => {
    if (signedOut.has(part)) say(part, part.dataset.signedOut);
    else if (!comesBack.has(part)) gone(part);
  };
  const gone = (part) => {
    say(part, part.dataset.gone);
    part.dataset.stopped = "";
  };
  const failed = (part, status) => ([403, 404, 410].includes(status) ? gone(part) : lost(part));

  // What is under a hand is not taken from it: a button that is pressed, a word that is put together from several keys,
  // a form that is on its way. What came in the meantime comes again.
  let pressed = null, composed = null;
  const release = () => { pressed = null; };
  document.addEventListener("pointerdown", (event) => { pressed = event.isPrimary ? event.target : null; }, true);
  for (const name of ["pointerup", "pointercancel"])
    document.addEventListener(name, () => setTimeout(release), true); // its click comes first
  // Over a list that a browser draws itself, or beside its window, nobody hears of a button that is let go.
  document.addEventListener("pointermove", (event) => { if (!event.buttons) release(); }, true);
  document.addEventListener("compositionstart", (event) => { composed = event.target; }, true);
  document.addEventListener("compositionend", () => { composed = null; }, true);
  const isInHand = (part) =>
    part.contains(pressed) || part.contains(composed) || part.querySelector("form[data-sent]") !== null;

  // What says the same stays: a selection in it, an open list, what a screen reader reads just now. Of that only the
  // hidden fields are renewed: their tokens are other ones in each answer. A countdown goes on by itself.
  const last = new WeakMap();
  const hiddenIn = (part) => [...part.querySelectorAll("input[type=hidden]")];
  const saidBy = (part) => {
    const bare = part.cloneNode(true);
    for (const field of hiddenIn(bare)) field.removeAttribute("value");
    for (const shown of bare.querySelectorAll("[data-seconds-left]")) shown.removeAttribute("data-seconds-left");
    return bare;
  };
  const renew = (old, fresh) => {
    const before = hiddenIn(old), now = hiddenIn(fresh);
    // A form that a script took away and that is still wanted is put back with the whole part.
    if (before.map((field) => field.name).join() !== now.map((field) => field.name).join()) return false;
    before.forEach((field, at) => { field.value = now[at].value; });
    return true;
  };
  const asServed = () => {
    for (const part of document.querySelectorAll("[hx-ext=live]")) last.set(part, saidBy(part).outerHTML);
  };
  document.addEventListener("DOMContentLoaded", asServed, true); // before charts are drawn
  const putInPlace = (old, fresh) => {
    const said = saidBy(fresh).outerHTML;
    if (isInHand(old) || (said === last.get(old) && renew(old, fresh))) return [];
    for (const canvas of old.querySelectorAll("canvas.c-chart")) canvas.chart?.destroy();
    const focusAgain = keep(old, fresh);
    old.replaceWith(fresh);
    last.set(fresh, said);
    focusAgain?.();
    fresh.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
    return [fresh];
  };

  // Of a list only the cells that move: its ticks and its order stay.
  const putCell = (fresh) => {
    const cell = document.getElementById(fresh.id);
    if (!cell || isInHand(cell)) return;
    const said = saidBy(fresh).innerHTML;
    if (said === (last.get(cell) ?? saidBy(cell).innerHTML) && renew(cell, fresh)) return;
    const focused = cell.contains(document.activeElement) && again(document.activeElement, cell, fresh);
    last.set(cell, said);
    cell.replaceChildren(...fresh.childNodes);
    if (focused) focused.focus({ preventScroll: true });
  };

  htmx.defineExtension("live", {
    onEvent: (name, { detail }) => {
      if (name === "htmx:beforeRequest") return !document.hidden && !("stopped" in detail.elt.dataset);
      if (name === "htmx:configRequest") {
        detail.path = detail.path.split("#")[0]; // or htmx would scroll to where the address points, each time
        detail.headers["X-Requested-With"] = "fetch";
      }
      if (name === "htmx:beforeSwap") {
        const wasOut = signedOut.has(detail.elt);
        const isOut = IS_SIGN_IN.test(new URL(detail.xhr.responseURL).pathname);
        signedOut[isOut ? "add" : "delete"](detail.elt);
        comesBack[wasOut && !isOut ? "add" : "delete"](detail.elt);
      }
      if (name === "htmx:responseError") failed(detail.elt, detail.xhr.status);
      if (name === "htmx:sendError" || name === "htmx:timeout") lost(detail.elt);
      return true;
    },
    // Returns what htmx has to look through: the part, if it was put in place.
    handleSwap: (style, old, answer) => {
      const fresh = [...answer.children].find((part) => part.id === old.id);
      if (!fresh) {
        noPart(old);
        return [];
      }
      say(old, "");
      for (const cell of answer.children) if (cell !== fresh) putCell(cell);
      speak(fresh);
      return putInPlace(old, fresh);
    },
  });
})();
