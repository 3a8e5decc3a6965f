"use strict";
// What unfold and Django's widgets leave to the mouse: named, reached by Tab, worked by Enter and space, closed by Esc.
(() => {
  const words = () => document.getElementById("access-words")?.dataset ?? {};
  const CLICKED = "[x-on\\:click]:not(button, input, select, textarea, summary, [data-operable])";
  const isShown = (element) => element.checkVisibility?.() ?? true;
  const BACKDROPS = "#changelist-filter-close, #modal-content, nav, form, label";

  const hide = (icon) => {
    if (!icon.matches("button, a[href], [role=button]")) icon.setAttribute("aria-hidden", "true");
  };

  const nameOf = (one) => {
    if (one.title) return one.title;
    if (one.getAttribute("x-ref")?.startsWith("relatedWidgetWrapper")) return words().related;
    if (one.closest("#dialog")) return words().close;
    return one.closest("[data-label]")?.dataset.label || words().more;
  };
  const saysNothing = (one) => {
    if (one.classList.contains("material-symbols-outlined")) return true;
    const copy = one.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    return !copy.textContent.trim();
  };

  const operable = (one) => {
    one.dataset.operable = "";
    if (!one.hasAttribute("aria-label") && saysNothing(one)) one.setAttribute("aria-label", nameOf(one) ?? "");
    if (one.matches("a[href]:not([href='#'])")) return;
    one.setAttribute("role", "button");
    one.tabIndex = 0;
  };

  // Of a menu that is drawn elsewhere on the page the first line is where the keyboard goes on.
  const enterMenu = (from) => {
    const menu = [...document.querySelectorAll("body > nav, body > div > nav")].find(isShown);
    if (!menu) return;
    menu.querySelector("a[href]")?.focus();
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      document.body.click(); // unfold closes what was clicked outside of
      from.focus();
    }, { once: true });
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!matchMedia("(max-width: 900px)").matches) return;
    document.querySelectorAll("details[data-shut-when-narrow]").forEach((part) => { part.open = false; });
  });

  document.addEventListener("keydown", (event) => {
    const one = event.target;
    if (one.dataset?.operable === undefined || one.getAttribute("role") !== "button") return;
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    one.click();
    setTimeout(() => enterMenu(one), 250); // once it has faded in
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) document.body.click();
  });

  // Two boxes of one field, from and to, and day and hour, have one label between them.
  const FIELD_ROWS = ".form-row, .field-row, .fieldset-row, .c-field, td, [data-label], fieldset, div:has(> h3)";
  const nameless = (field) => !field.labels?.length && !field.ariaLabel && !field.getAttribute("aria-labelledby");
  const nameField = (field) => {
    if (field.type === "hidden" || !nameless(field) || field.title) return;
    const row = field.closest(FIELD_ROWS);
    const said = row?.dataset.label || row?.querySelector("label, legend, h3, .field-label")?.textContent.trim();
    const part = field.name.endsWith("_from") ? words().from : field.name.endsWith("_to") ? words().to : "";
    const name = [said, part || (said ? "" : field.placeholder)].filter(Boolean).join(" ");
    if (name) field.setAttribute("aria-label", name);
  };

  // select2's box takes the name of the field it stands for.
  const nameBox = (box) => {
    const field = box.closest(".select2-container")?.previousElementSibling;
    const label = field?.labels?.[0]?.textContent.trim() || field?.getAttribute("aria-label");
    if (!label) return;
    const shown = box.querySelector(".select2-selection__rendered");
    box.removeAttribute("aria-labelledby");
    const chosen = box.matches("[role=combobox]") && shown?.textContent;
    box.setAttribute("aria-label", [label, chosen].filter(Boolean).join(": "));
  };

  const SCROLLED = ".c-scroll, .c-compose-beside, .simplebar-content-wrapper, .c-text, .c-choices, .c-many";
  const reachable = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const fields = box.querySelectorAll("a[href], button:enabled, input:enabled, select:enabled");
    if (scrolls && ![...fields].some(isShown)) box.tabIndex = 0;
    if (!box.matches(".simplebar-content-wrapper")) return;
    box.removeAttribute("role");
    if (words().scrolled) box.setAttribute("aria-label", words().scrolled); // simplebar's own is English
  };

  const nameButton = (button) => {
    if (!button.title && !button.ariaLabel && saysNothing(button)) button.setAttribute("aria-label", words().search);
  };
  // Lists of boxes that select2 makes, and hints that Django's filtered selects make.
  const sayNoList = (list) => {
    if ([...list.children].some((child) => child.tagName !== "LI")) list.setAttribute("role", "presentation");
  };

  const repair = (root) => {
    // unfold's headings of filters are a level too deep
    root.querySelectorAll("#changelist-filter h3").forEach((title) => title.setAttribute("aria-level", "2"));
    root.querySelectorAll("button[type=submit]").forEach(nameButton);
    root.querySelectorAll(".select2-selection__rendered").forEach(sayNoList);
    root.querySelectorAll("span.help-tooltip[aria-label]").forEach((hint) => hint.setAttribute("role", "img"));
    root.querySelectorAll(CLICKED).forEach((one) => one.matches(BACKDROPS) || operable(one));
    root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach(hide);
    root.querySelectorAll("input, select, textarea").forEach(nameField);
    root.querySelectorAll(".select2-selection, .select2-search__field").forEach(nameBox);
    root.querySelectorAll(SCROLLED).forEach(reachable);
  };

  // Once for all that comes in one go: teleported menus, dialogs, parts that were fetched again.
  let isDue = false;
  const soon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      repair(document);
    });
  };
  document.addEventListener("DOMContentLoaded", () => {
    soon();
    window.addEventListener("resize", soon);
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  });

  // A form that was refused begins where it is wrong; Django's own script has put the cursor into its first field.
  window.addEventListener("load", () => {
    const boxOf = (field) => field.nextElementSibling?.querySelector(".select2-selection") ?? field;
    [...document.querySelectorAll("[aria-invalid=true]")].map(boxOf).find(isShown)?.focus();
  });
})();
