"use strict";
// Beside a text that will be spoken: about how long it takes, as the server calculates it; and only accents
// that its language has.
document.addEventListener("DOMContentLoaded", () => {
  const text = document.querySelector("[data-spoken]");
  if (!text) return;
  const form = text.closest("form");
  if (form.dataset.beside === undefined) sayLength(text, form);  // else the column beside it says so
  offerAccents(form);
});

function sayLength(text, form) {
  const said = document.createElement("p");
  said.className = "c-soft";
  said.id = "spoken-length";
  said.setAttribute("role", "status");
  text.after(said);

  let waiting = 0;
  const ask = () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const body = new FormData();
      for (const name of ["text", "speaking_rate", "loop_count", "csrfmiddlewaretoken"])
        body.append(name, form.elements[name].value);
      try {
        const answer = await fetch(text.dataset.spoken, { method: "POST", body });
        if (answer.ok) said.textContent = (await answer.json()).said;
      } catch { said.textContent = ""; }
    }, 300);
  };
  for (const name of ["text", "speaking_rate", "loop_count"]) form.elements[name].addEventListener("input", ask);
  ask();
}

function offerAccents(form) {
  const accent = form.elements.accent;
  const accents = new Map(accent.dataset.accents.split(";").map((pair) => {
    const [code, list] = pair.split(":");
    return [code, list ? list.split(",") : []];
  }));
  const offer = () => {
    const known = accents.get(form.elements.language.value) ?? [];
    for (const option of accent.options)
      option.hidden = Boolean(option.value) && known.length > 0 && !known.includes(option.value);
    if (accent.selectedOptions[0]?.hidden) accent.value = "";
    const row = form.elements.language_code.closest(".field-language_code, .c-field") ?? form.elements.language_code;
    row.hidden = form.elements.language.value !== "other";
  };
  form.elements.language.addEventListener("change", offer);
  offer();
}
