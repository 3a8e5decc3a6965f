"use strict";
// The charts of a page, in the admin's light and dark; Chart.js comes with unfold.
(() => {
  const draw = (root) => {
    if (typeof Chart === "undefined") return;
    for (const canvas of root.querySelectorAll("canvas.c-chart")) {
      const data = JSON.parse(canvas.dataset.chart);
      const soft = getComputedStyle(document.documentElement).getPropertyValue("--c-soft");
      const line = getComputedStyle(canvas).getPropertyValue("--c-line");
      const stacked = canvas.dataset.kind !== "line";
      canvas.chart = new Chart(canvas, {
        type: canvas.dataset.kind || "bar",
        data,
        options: {
          animation: false,
          maintainAspectRatio: false,
          responsive: true,
          scales: {
            x: { stacked, ticks: { color: soft, maxTicksLimit: 12 }, grid: { display: false } },
            y: { stacked, beginAtZero: true, ticks: { color: soft, precision: 0 }, grid: { color: line } },
          },
          plugins: { legend: { labels: { color: soft, boxWidth: 12 } } },
        },
      });
    }
  };
  document.addEventListener("DOMContentLoaded", () => draw(document));
  document.addEventListener("fresh", (event) => draw(event.target)); // live.js
})();
