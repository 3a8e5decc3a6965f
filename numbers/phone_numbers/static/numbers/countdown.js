"use strict";
// Times that run out, counted down every second; the page says the same in words without this.
(() => {
  const two = (n) => String(n).padStart(2, "0");
  const words = (left, inDays) => {
    const days = Math.floor(left / 86400), hours = Math.floor(left / 3600) % 24;
    const clock = `${two(hours)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    return days ? inDays.replace("%(days)s", days).replace("%(clock)s", clock) : clock;
  };
  const tick = () => {
    const now = Date.now() / 1000;
    for (const shown of document.querySelectorAll("[data-expires]")) {
      const left = Math.floor(Number(shown.dataset.expires) - now);
      shown.textContent = left > 0 ? words(left, shown.dataset.inDays) : shown.dataset.over;
      shown.classList.toggle("bad", left <= 300);
      shown.classList.toggle("warn", left > 300 && left <= 3600);
    }
  };
  document.addEventListener("DOMContentLoaded", () => { tick(); setInterval(tick, 1000); });
})();
