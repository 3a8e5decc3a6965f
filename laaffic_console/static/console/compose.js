"use strict";
// Writing a campaign. Whatever changes in the form is told as "written", and htmx asks what it would do now
// (templates/messaging/compose). Choosing a template fills a text that is empty, or still that of another template.
(() => {
  const form = document.getElementById("campaign_form");
  if (!form) return;
  let changes = 0, asked = 0;
  const tell = () => form.dispatchEvent(new Event("written"));
  const written = () => {
    changes += 1;
    tell();
  };
  // One question at a time. What was written while its answer was under way, or just before that took the place of who
  // waited to ask, is asked about afterwards.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "beside") asked = changes;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "beside" && asked !== changes) tell();
  });
  form.addEventListener("input", written);
  form.addEventListener("change", written);
  // Lists that search tell jQuery alone; pasted lines are there when their field is renamed.
  window.django?.jQuery?.(form).on("change", "select", written);
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

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.getElementById("to-review").click();
  });
})();
