"use strict";
// Clocks, numbers that are copied, dialogs, forms that are asked about, sent once and dropped into, links that act, and
// the key that searches.
(() => {
  // The reader's own clock, and the seconds left as the server counted them: the reader's clock may be wrong.
  const ends = new WeakMap();
  const clocks = (root) => {
    for (const shown of root.querySelectorAll("time[data-my-clock]")) {
      // That of their profile, where they have named one; otherwise the browser's.
      const zone = shown.dataset.myClock || Intl.DateTimeFormat().resolvedOptions().timeZone;
      const how = { dateStyle: "medium", timeStyle: "short", timeZone: zone };
      const language = document.documentElement.lang.replace(/^en$/, "en-GB"); // as the server writes it beside
      const at = new Date(shown.dateTime).toLocaleString(language, how);
      shown.textContent = `${at} (${zone})`;
    }
    for (const shown of root.querySelectorAll("[data-seconds-left]")) {
      if (!ends.has(shown)) ends.set(shown, performance.now() + 1000 * shown.dataset.secondsLeft);
      const left = (ends.get(shown) - performance.now()) / 1000;
      shown.textContent = shown.dataset.words.replace("{n}", Math.max(0, Math.ceil(left)));
    }
  };
  // How long ago or ahead, in the words that the page brings; what is farther than a month stays a date.
  const distances = (root) => {
    const words = JSON.parse(document.getElementById("said")?.dataset.agoWords || "null");
    if (!words) return;
    for (const shown of root.querySelectorAll("time[data-ago]")) {
      const seconds = (Date.now() - new Date(shown.dateTime)) / 1000, far = Math.abs(seconds);
      if (far >= 30 * 86400) continue;
      const [unit, size] = far < 3600 ? ["min", 60] : far < 86400 ? ["h", 3600] : ["d", 86400];
      const said = words[seconds < 0 ? `in ${unit}` : unit].replace("%(n)d", Math.floor(far / size));
      shown.textContent = far < 60 ? words.now : said;
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    clocks(document);
    setInterval(() => clocks(document), 1000);
    setInterval(() => distances(document), 10000);
  });
  document.addEventListener("fresh", (event) => clocks(event.target)); // live.js

  // A number that is shown whole can be copied: a button beside it, or beside the link that it is in.
  const write = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = Object.assign(document.createElement("textarea"), { value: text }); // without https
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    if (!isDone) throw new Error("not copied");
  };
  const say = (words) => {
    const said = document.getElementById("said");
    said.textContent = "";
    setTimeout(() => { said.textContent = words; }, 50); // the same word twice is announced twice
  };
  const copy = async (button, shown) => {
    await write(shown.textContent.trim());
    say(shown.dataset.copied);
    button.textContent = "check";
    setTimeout(() => { button.textContent = "content_copy"; }, 1500);
  };
  const offerCopies = (root) => {
    for (const shown of root.querySelectorAll("[data-copy]:not([data-offered])")) {
      shown.dataset.offered = "true";
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.className = "c-copy material-symbols-outlined";
      button.textContent = "content_copy";
      button.title = shown.dataset.copy;
      button.setAttribute("aria-label", `${shown.dataset.copy} ${shown.textContent.trim()}`);
      button.addEventListener("click", () => copy(button, shown));
      (shown.closest("a") || shown).after(button);
    }
  };
  // What is shown once has a button with words; where the browser does not copy, the text is selected.
  const copyOnce = async (button) => {
    const shown = document.getElementById(button.dataset.copies), word = button.firstElementChild;
    const before = word.dataset.before ??= word.textContent;
    try {
      await write(shown.innerText.trim());
      word.textContent = button.dataset.copied;
      setTimeout(() => { word.textContent = before; }, 3000);
      say(button.dataset.copied);
    } catch {
      getSelection().selectAllChildren(shown);
      say(button.dataset.selected);
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copyOnce(button);
    if (event.target.closest("[data-prints]")) window.print();
  });
  document.addEventListener("DOMContentLoaded", () => offerCopies(document));
  document.addEventListener("fresh", (event) => offerCopies(event.target));

  // Dialogs: a button opens one by its id, and a button in it closes it.
  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens).showModal();
    event.target.closest("[data-closes]")?.closest("dialog").close();
  });

  // Sent once, unless its answer was never waited for: then, and behind Back, it can be sent again. No proxy waits so
  // long for an answer (deploy/), nor does an act that was killed count for so long (dashboard/sent_once.py).
  const STOPPED_AFTER = 900_000;
  const letGo = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  };

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
    setTimeout(() => letGo(form), STOPPED_AFTER);
  });
  // What this tab keeps of what somebody wrote (conversations.js) is not left to the next person who signs in.
  document.addEventListener("submit", (event) => {
    if (event.target.id === "logout-form") sessionStorage.clear();
  });
  // Back in the browser brings the page as it was left.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(letGo);
  });

  const takeDrops = (drop) => {
    const input = drop.querySelector("input[type=file]");
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".c-drop").forEach(takeDrops));

  // A link that acts is posted; where that cannot be done it opens a page with the button.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-post]");
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (!link || !token) return;
    event.preventDefault();
    if (link.dataset.posted) return; // a second click of a double click
    link.dataset.posted = "once";
    const form = Object.assign(document.createElement("form"), { method: "post", action: link.href, hidden: true });
    form.append(token.cloneNode());
    document.body.append(form);
    form.submit();
  });
  window.addEventListener("pageshow", () => {
    for (const link of document.querySelectorAll("a[data-posted]")) delete link.dataset.posted; // the page was kept
  });

  // "/" searches everything, wherever nobody is typing: in the page's own box, else in the command palette.
  const isTyping = (at) => at && (at.isContentEditable || /^(input|textarea|select)$/i.test(at.tagName));
  window.addEventListener(
    "keydown",
    (event) => {
      const hasModifier = event.ctrlKey || event.metaKey || event.altKey;
      if (event.key !== "/" || hasModifier || isTyping(document.activeElement)) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // unfold would go to the list's own box
      const box = document.querySelector("input[data-search-everything]");
      if (box) {
        box.focus();
        box.select();
      } else {
        window.dispatchEvent(new CustomEvent("opencommand"));
      }
    },
    true,
  );
  // Enter in the palette with nothing chosen leads to the page of all results.
  document.addEventListener(
    "keydown",
    (event) => {
      const typed = event.target;
      if (event.key !== "Enter" || typed.id !== "search-input-command") return;
      if (document.querySelector("#command-results-list li.active a")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!typed.value.trim()) return;
      const page = new URL(typed.getAttribute("hx-get"), location.href);
      page.search = new URLSearchParams({ q: typed.value });
      location.href = page.href;
    },
    true,
  );
  // The bell's list closes by Escape, and by a click beside it.
  const openBell = () => document.querySelector("details.c-bell[open]");
  document.addEventListener("click", (event) => {
    const bell = openBell();
    if (bell && !bell.contains(event.target)) bell.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const bell = openBell();
    if (event.key !== "Escape" || !bell) return;
    bell.open = false;
    bell.querySelector("summary").focus();
  });
})();
