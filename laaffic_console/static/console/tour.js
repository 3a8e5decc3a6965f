"use strict";
// A few stops through the console, one beside its place at a time. Nothing else is locked in the meantime; Esc ends it.
(() => {
  const box = document.getElementById("tour");
  if (!box) return;
  const MARGIN = 12;
  const part = (name) => box.querySelector(`[data-${name}]`);
  const stops = [...box.querySelectorAll("li")];
  let at = 0, marked = null;

  const isShown = (one) => {
    const { width, height, left, right } = one.getBoundingClientRect();
    return width && height && right > 0 && left < innerWidth && (one.checkVisibility?.() ?? true);
  };
  const placeOf = (stop) => [...document.querySelectorAll(stop.dataset.at)].find(isShown);
  const clamp = (wanted, most) => Math.max(MARGIN, Math.min(wanted, most - MARGIN));
  const place = () => {
    marked?.classList.remove("c-toured");
    marked = placeOf(stops[at]);
    const [width, height] = [box.offsetWidth, box.offsetHeight];
    let left = (innerWidth - width) / 2, top = (innerHeight - height) / 2;
    if (marked) {
      marked.classList.add("c-toured");
      const there = marked.getBoundingClientRect();
      const isBeside = there.right + width + 2 * MARGIN < innerWidth;
      left = isBeside ? there.right + MARGIN : there.left;
      top = isBeside ? there.top : there.bottom + MARGIN;
    }
    box.style.left = `${clamp(left, innerWidth - width)}px`;
    box.style.top = `${clamp(top, innerHeight - height)}px`;
  };
  const show = (stop) => {
    at = stop;
    document.getElementById("tour-title").textContent = stops[at].dataset.title;
    part("text").textContent = stops[at].textContent.trim();
    part("standing").textContent = `${at + 1} / ${stops.length}`;
    part("back").disabled = !at;
    const isLast = at === stops.length - 1;
    part("close").hidden = isLast;
    part("next").textContent = isLast ? box.dataset.done : next;
    placeOf(stops[at])?.scrollIntoView({ block: "nearest" });
    place();
  };
  const next = part("next").textContent;
  const end = () => {
    marked?.classList.remove("c-toured");
    const body = new URLSearchParams({ csrfmiddlewaretoken: box.querySelector("[name=csrfmiddlewaretoken]").value });
    fetch(box.dataset.end, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => {});
    box.remove(); // where nobody heard of it, the next sign-in shows it again
    document.getElementById("content")?.focus({ preventScroll: true });
  };

  part("next").addEventListener("click", () => (at === stops.length - 1 ? end() : show(at + 1)));
  part("back").addEventListener("click", () => {
    show(at - 1);
    if (part("back").disabled) part("next").focus();
  });
  part("close").addEventListener("click", end);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !box.isConnected) return;
    if (document.querySelector("dialog[open]")) return;
    end();
  });
  for (const moved of ["scroll", "resize", "fresh"])
    addEventListener(moved, () => { if (box.isConnected) place(); }, true);

  box.showPopover();
  show(0);
  part("next").focus({ preventScroll: true });
})();
