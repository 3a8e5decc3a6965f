"use strict";
// What a word means, beside it: by hovering, Tab or a tap. Esc closes it, and Tab leads on to the help.
(() => {
  const PATIENCE = { open: 150, close: 250 }; // milliseconds, so that a mouse that passes by opens nothing
  const MARGIN = 8;
  let box = null, word = null, stood = null, hadFocus = false, isPinned = false, timer = 0;
  let closed = ""; // by Esc: the word keeps the keyboard when its part is fetched again, and stays closed

  const made = () => {
    const shown = Object.assign(document.createElement("div"), { id: "meaning", className: "c-meaning" });
    shown.popover = "manual";
    shown.append(document.createElement("p"), document.createElement("a"));
    shown.lastChild.textContent = document.getElementById("access-words")?.dataset.explained ?? "";
    shown.addEventListener("keydown", leave);
    return shown;
  };
  const said = (one) => `${one.textContent.trim()}: ${one.dataset.means}`;
  const place = () => {
    const at = stood = word.getBoundingClientRect();
    const left = Math.min(Math.max(MARGIN, at.left), innerWidth - box.offsetWidth - MARGIN);
    const below = at.bottom + 4, fits = below + box.offsetHeight < innerHeight;
    box.style.left = `${Math.max(MARGIN, left)}px`;
    box.style.top = `${fits ? below : Math.max(MARGIN, at.top - box.offsetHeight - 4)}px`;
  };
  const show = (wanted) => {
    clearTimeout(timer);
    if (word === wanted && box?.matches(":popover-open")) return;
    hide();
    box ??= made();
    (wanted.closest("dialog[open], main") ?? document.body).append(box);
    word = wanted;
    box.firstChild.textContent = word.dataset.means;
    box.lastChild.href = word.dataset.more;
    box.showPopover();
    tell();
  };
  const tell = () => {
    place();
    word.setAttribute("aria-expanded", "true");
    word.setAttribute("aria-describedby", "meaning");
  };
  const hide = () => {
    clearTimeout(timer);
    if (box?.matches(":popover-open")) box.hidePopover();
    word?.setAttribute("aria-expanded", "false");
    word?.removeAttribute("aria-describedby");
    word = null;
    isPinned = hadFocus = false;
  };
  // Its part of the page was fetched again: the nearest one that says the same goes on for it.
  const follow = (part) => {
    if (!word || word.isConnected) return;
    const isSame = (one) => said(one) === said(word);
    const far = ({ x, y }) => Math.hypot(x - stood.x, y - stood.y);
    const [again] = [...part.querySelectorAll(".c-means")].filter(isSame)
      .map((one) => [far(one.getBoundingClientRect()), one]).toSorted(([a], [b]) => a - b).map(([, one]) => one);
    if (!again) return;
    word = again;
    tell();
    if (hadFocus && document.activeElement === document.body) again.focus({ preventScroll: true });
  };
  const soon = (act, wait) => { clearTimeout(timer); timer = setTimeout(act, wait); };
  // The box is at the end of the main part: Tab goes into it and out of it as if it was behind its word.
  const leave = (event) => {
    if (event.key !== "Tab" || !word) return;
    const from = word;
    if (event.shiftKey) event.preventDefault();
    from.focus({ preventScroll: true });
    if (!event.shiftKey) hide();
  };

  const wordAt = (event) => (event.target instanceof Element ? event.target.closest(".c-means") : null);
  const isInside = (node) => node instanceof Node && (box?.contains(node) || word?.contains(node));
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const over = wordAt(event);
    if (over && over !== word) soon(() => show(over), PATIENCE.open);
    else if (isInside(event.target)) clearTimeout(timer);
    else if (word && !isPinned && !isInside(document.activeElement)) soon(hide, PATIENCE.close);
    else if (!word) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const at = wordAt(event);
    if (at && said(at) === closed) return;
    if (at?.matches(":focus-visible")) {
      show(at);
      hadFocus = true;
    } else if (word && !isInside(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const at = wordAt(event);
    if (!at) return isInside(event.target) ? undefined : hide();
    event.preventDefault(); // of a line that opens on a click
    if (at === word && isPinned) return hide();
    show(at);
    isPinned = true;
    return undefined;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") closed = "";
    if (!word) return;
    if (event.key === "Escape") {
      const back = isInside(document.activeElement) ? word : null;
      event.preventDefault();
      closed = said(word);
      hide();
      back?.focus({ preventScroll: true });
    } else if (event.key === "Tab" && !event.shiftKey && document.activeElement === word) {
      event.preventDefault();
      box.lastChild.focus();
    }
  }, true);
  for (const moved of ["scroll", "resize"])
    addEventListener(moved, () => { if (word?.isConnected) place(); }, true);
  document.addEventListener("fresh", (event) => { // live.js
    follow(event.target);
    if (word && !word.isConnected) hide();
  });
})();
