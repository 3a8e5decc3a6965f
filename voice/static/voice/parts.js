"use strict";
// Parts of a form that appear when they apply: data-when="source=1,2" or "hang_up_sms=on".
// What is hidden keeps its value.
document.addEventListener("DOMContentLoaded", () => {
  const parts = [...document.querySelectorAll("[data-when]")];
  if (!parts.length) return;
  const form = parts[0].closest("form");
  const isOn = (condition) => {
    const [name, values] = condition.split("=");
    const field = form.elements[name];
    if (!field) return false;
    const outer = field.closest("[data-when]");
    if (outer && !isOn(outer.dataset.when)) return false;
    return values === "on" ? field.checked : values.split(",").includes(field.value);
  };
  const show = () => { for (const part of parts) part.hidden = !isOn(part.dataset.when); };
  form.addEventListener("change", show);
  show();
});
