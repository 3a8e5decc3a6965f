"use strict";
// Times that run out, counted down every second; the page says the same in words without this. What is left is the
// server's word: a browser's clock may be wrong.
(() => {
  const two = (n) => String(n).padStart(2, "0");
  const words = (left, inDays) => {
    const days = Math.floor(left / 86400), hours = Math.floor(left / 3600) % 24;
    const clock = `${two(hours)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    return days ? inDays.replace("%(days)s", days).replace("%(clock)s", clock) : clock;
  };
  const ends = new WeakMap(); // of each, by this browser's clock
  const endOf = (shown, now) => {
    if (!ends.has(shown)) ends.set(shown, now + Number(shown.dataset.left));
    return ends.get(shown);
  };
  // What its row or its card says until then and from then on.
  const turnOver = (shown) => {
    const around = shown.closest("tr, .c-card");
    for (const before of around?.querySelectorAll("[data-until-over]") ?? []) before.hidden = true;
    for (const after of around?.querySelectorAll("[data-when-over]") ?? []) after.hidden = false;
  };
  const tick = () => {
    const now = Date.now() / 1000;
    for (const shown of document.querySelectorAll("[data-left]")) {
      const left = Math.floor(endOf(shown, now) - now);
      if (left <= 0) turnOver(shown);
      shown.textContent = left > 0 ? words(left, shown.dataset.inDays) : shown.dataset.over;
      shown.classList.toggle("bad", left <= 300);
      shown.classList.toggle("warn", left > 300 && left <= 3600);
    }
  };
  document.addEventListener("DOMContentLoaded", () => { tick(); setInterval(tick, 1000); });
})();
