"use strict";
// The charts of a page, in the admin's light and dark; Chart.js comes with unfold.
(() => {
  const draw = (root) => {
    if (typeof Chart === "undefined") return;
    for (const canvas of root.querySelectorAll("canvas.c-chart")) {
      const data = JSON.parse(canvas.dataset.chart);
      const soft = getComputedStyle(document.documentElement).getPropertyValue("--c-soft");
      const line = getComputedStyle(canvas).getPropertyValue("--c-line");
      const stacked = !canvas.dataset.kind; // bars that are asked for stand side by side
      const few = data.labels.length <= 13; // of a report: each bar is named; of moments, some are
      canvas.chart = new Chart(canvas, {
        type: canvas.dataset.kind || "bar",
        data,
        options: {
          animation: false,
          maintainAspectRatio: false,
          responsive: true,
          scales: {
            x: {
              stacked,
              ticks: few ? { color: soft, autoSkip: false } : { color: soft, maxTicksLimit: 12 },
              grid: { display: false },
            },
            y: { stacked, beginAtZero: true, ticks: { color: soft, precision: 0 }, grid: { color: line } },
          },
          plugins: { legend: { labels: { color: soft, boxWidth: 12 } } },
        },
      });
    }
  };
  const redraw = () => {
    for (const canvas of document.querySelectorAll("canvas.c-chart")) canvas.chart?.destroy();
    draw(document);
  };
  document.addEventListener("DOMContentLoaded", () => {
    draw(document);
    // The menu changes between light and dark without a new page.
    const root = document.documentElement;
    let wasDark = root.classList.contains("dark");
    new MutationObserver(() => {
      const isDark = root.classList.contains("dark");
      if (isDark !== wasDark) redraw();
      wasDark = isDark;
    }).observe(root, { attributeFilter: ["class"] });
  });
  document.addEventListener("fresh", (event) => draw(event.target)); // live.js
})();
