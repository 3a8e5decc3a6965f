"use strict";
// Parts of a page that move by themselves: fetched again every two seconds, not while the tab is hidden.
(() => {
  const draw = (root) => {
    for (const canvas of root.querySelectorAll("canvas.c-chart")) {
      if (typeof Chart === "undefined") return;
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
  // The reader's own clock, and what is left of a moment.
  const clocks = (root) => {
    for (const shown of root.querySelectorAll("time[data-my-clock]")) {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const how = { dateStyle: "short", timeStyle: "short" };
      const at = new Date(shown.dateTime).toLocaleString(document.documentElement.lang, how);
      shown.textContent = `${at} (${zone})`;
    }
    for (const shown of root.querySelectorAll("[data-seconds-until]")) {
      const left = (new Date(shown.dataset.secondsUntil) - Date.now()) / 1000;
      shown.textContent = `${Math.max(0, Math.ceil(left))} s`;
    }
  };
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
  const live = (box) => {
    const part = box.dataset.livePart, every = Number(box.dataset.every || 2000);
    const said = document.querySelector("[data-live-status]");
    // For who listens: a sentence when something has changed, not more often than every fifteen seconds.
    const aloud = document.querySelector("[data-live-said]");
    let spokeAt = Date.now();
    const speak = (fresh) => {
      if (!aloud || !fresh.dataset.says || fresh.dataset.says === aloud.textContent) return;
      if (fresh.dataset.liveOver !== "true" && Date.now() - spokeAt < 15000) return;
      aloud.textContent = fresh.dataset.says;
      spokeAt = Date.now();
    };
    const again = async () => {
      if (box.dataset.liveOver === "true") return;
      if (!document.hidden) {
        try {
          const answer = await fetch(box.dataset.live, { headers: { "X-Requested-With": "fetch" } });
          if (!answer.ok || answer.redirected) throw new Error(answer.status);
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part);
          const old = document.getElementById(part);
          if (fresh && old && fresh.innerHTML !== old.dataset.last) {
            const last = fresh.innerHTML;
            for (const canvas of old.querySelectorAll("canvas.c-chart")) canvas.chart?.destroy();
            const focusAgain = keep(old, fresh);
            old.replaceWith(fresh);
            fresh.dataset.last = last;
            focusAgain?.();
            draw(fresh);
            clocks(fresh);
          }
          if (fresh) speak(fresh);
          if (fresh?.dataset.liveOver === "true") box.dataset.liveOver = "true";
          if (said) said.textContent = "";
        } catch { if (said) said.textContent = box.dataset.lost || "Connection lost, trying again …"; }
      }
      setTimeout(again, every);
    };
    setTimeout(again, every);
  };
  document.addEventListener("DOMContentLoaded", () => {
    draw(document);
    clocks(document);
    setInterval(() => clocks(document), 1000);
    document.querySelectorAll("[data-live]").forEach(live);
    // On the document: forms of a part that was fetched again are asked and held back like the first ones.
    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (event.defaultPrevented) return;
      if (form.dataset.sent || (form.dataset.confirm && !confirm(form.dataset.confirm))) {
        event.preventDefault();
        return;
      }
      if (form.dataset.once === undefined) return;
      form.dataset.sent = "true";
      form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-busy", "true"));
    });
    // Back in the browser brings the page as it was left: its forms can be sent again.
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      for (const form of document.querySelectorAll("form[data-sent]")) {
        delete form.dataset.sent;
        form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
      }
    });
    for (const drop of document.querySelectorAll(".c-drop")) {
      const input = drop.querySelector("input[type=file]");
      drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
      drop.addEventListener("dragleave", () => drop.classList.remove("over"));
      drop.addEventListener("drop", (event) => {
        event.preventDefault();
        drop.classList.remove("over");
        if (!event.dataTransfer.files.length) return;
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      });
    }
    for (const chosen of document.querySelectorAll("[data-fills]")) {
      chosen.addEventListener("change", () => {
        const target = document.getElementById(chosen.dataset.fills);
        const values = JSON.parse(chosen.dataset.values);
        if (target && !target.dataset.typed) target.value = values[chosen.value] || "";
      });
    }
  });
  // A link that acts is posted; where that cannot be done it opens a page with the button.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-post]");
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (!link || !token) return;
    event.preventDefault();
    const form = Object.assign(document.createElement("form"), { method: "post", action: link.href, hidden: true });
    form.append(token.cloneNode());
    document.body.append(form);
    form.submit();
  });
})();
