"use strict";
// A calendar's rows: one more of each kind by a click, and a day's hours for other days too. What is sent are the
// fields; without this there is a spare one of each kind on the page.
(() => {
  const rows = document.querySelector(".c-week-rows");
  if (!rows) return;
  for (const spare of rows.querySelectorAll("[data-spare]")) spare.hidden = true;
  for (const button of rows.querySelectorAll("button[hidden]")) button.hidden = false;
  const written = () => rows.dispatchEvent(new Event("input", { bubbles: true }));
  const fieldsOf = (element) => [...element.querySelectorAll("input:not([type=hidden])")];

  function emptied(element) {
    const made = element.cloneNode(true);
    for (const field of fieldsOf(made)) {
      field.value = "";
      field.removeAttribute("value");
    }
    return made;
  }

  // The spare one first; then copies of it.
  function another(among, selector) {
    const all = [...among.querySelectorAll(`:scope > ${selector}`)];
    const last = all.at(-1);
    if (last.hidden) {
      last.hidden = false;
      return last;
    }
    const made = emptied(last);
    last.after(made);
    return made;
  }

  function addPart() {
    const place = rows.querySelectorAll("[data-part]").length;
    const before = rows.querySelector("[data-part]:last-of-type");
    const isNew = !before.hidden;
    const part = another(rows, "[data-part]");
    if (!isNew) return part;
    part.querySelector("[name=part]").value = place;
    for (const field of fieldsOf(part)) field.name = field.name.replace(/^\d+/, place);
    return part;
  }

  function copy(day, until) {
    const hours = [...day.querySelectorAll("[data-row]:not([hidden])")].map((row) => fieldsOf(row).map((f) => f.value));
    const days = [...day.parentElement.querySelectorAll("[data-day]")].slice(1, until + 1);
    for (const other of days) {
      const spans = other.querySelector("[data-rows]");
      while (spans.querySelectorAll("[data-row]:not([hidden])").length < hours.length) another(spans, "[data-row]");
      [...spans.querySelectorAll("[data-row]")].forEach((row, at) => {
        fieldsOf(row).forEach((field, place) => { field.value = hours[at]?.[place] ?? ""; });
      });
    }
  }

  rows.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.days) copy(button.closest("[data-day]"), Number(button.dataset.days));
    else if (button.dataset.add === "part") fieldsOf(addPart())[0].focus();
    else fieldsOf(another(button.parentElement.querySelector("[data-rows]"), "[data-row]"))[0].focus();
    written();
  });
})();
