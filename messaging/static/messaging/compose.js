"use strict";
// Writing a campaign; what is beside it follows by beside.js. Choosing a template fills a text that is empty, or
// still that of another template.
(() => {
  const form = document.getElementById("campaign_form");
  if (!form) return;
  const written = () => form.dispatchEvent(new Event("input"));
  // Pasted lines are there when their field is renamed.
  const pasted = document.getElementById("id_pasted");
  if (pasted) new MutationObserver(written).observe(document.getElementById("id_numbers"), { attributes: true });

  const choice = document.getElementById("id_template_version"), text = document.getElementById("id_text");
  const texts = JSON.parse(document.getElementById("template-texts")?.textContent || "{}");
  choice?.addEventListener("change", () => {
    const isOwn = text.value.trim() && !Object.values(texts).includes(text.value);
    const chosen = texts[choice.value];
    if (isOwn || chosen === undefined) return;
    text.value = chosen;
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
