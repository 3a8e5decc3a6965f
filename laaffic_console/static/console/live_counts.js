"use strict";
// Below a field: what a paste of numbers holds. Each answer is about a part; the page asks for the next one until all
// is counted, and starts over after a change.
(() => {
  const PAUSE = 600;
  const LINES = 5000;
  const SMALL = 20_000; // characters that go with the form itself, so that it is shown with them again
  const HEAD = 5; // the lines that may name the columns: every part is read under them

  const post = async (address, values) => {
    const body = new FormData();
    body.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
    for (const [name, value] of Object.entries(values)) body.append(name, value);
    const answer = await fetch(address, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };

  const below = (field) => {
    const shown = document.createElement("div");
    shown.className = "c-soft c-anywhere";
    shown.setAttribute("role", "status");
    field.after(shown);
    return shown;
  };

  const tell = (shown, said, lines = []) => {
    const list = document.createElement("ul");
    for (const line of lines) {
      const item = document.createElement("li");
      item.textContent = line;
      list.append(item);
    }
    shown.textContent = said;
    if (lines.length) shown.append(list);
  };

  // Calls `count` with the field's text when nobody has typed for a moment; `isOld()` says that it was changed since.
  const watch = (field, count) => {
    const shown = below(field);
    const labels = JSON.parse(field.dataset.labels);
    let turn = 0;
    let timer = 0;
    const start = async () => {
      turn += 1;
      const mine = turn;
      if (!field.value.trim()) { tell(shown, ""); return; }
      tell(shown, labels.wait);
      try {
        await count(field.value, (said, lines) => mine === turn && tell(shown, said, lines), () => mine !== turn);
      } catch {
        if (mine === turn) tell(shown, labels.failed);
      }
    };
    field.addEventListener("input", () => { turn += 1; clearTimeout(timer); timer = setTimeout(start, PAUSE); });
    start();
  };

  // The lines go to the server a few thousand at a time; the form then carries only which paste it was.
  const paste = (field) => {
    const kept = document.getElementById(field.dataset.kept);
    const before = kept.value;
    const buttons = field.form.querySelectorAll("[type=submit]");
    const hold = (isHeld) => { for (const button of buttons) button.disabled = isHeld; };
    const name = field.name;
    field.addEventListener("input", () => { field.name = name; kept.value = before; });
    watch(field, async (text, say, isOld) => {
      const lines = text.split(/\r\n|\n|\r/);
      const head = lines.slice(0, HEAD).join("\n");
      let told = { paste: "", lines: 0 };
      hold(true);
      try {
        do {
          const piece = lines.slice(told.lines, told.lines + LINES);
          const isLast = told.lines + piece.length >= lines.length;
          const part = { after: told.lines, text: piece.join("\n"), last: isLast ? "yes" : "" };
          // oxlint-disable-next-line no-await-in-loop -- lines are told twice by those before them
          told = await post(field.dataset.pastes, { ...part, paste: told.paste, head, channel: field.dataset.channel });
          if (told.problem) { say(told.problem); return; }
          say(told.says, told.told);
        } while (told.lines < lines.length && !isOld());
      } finally { hold(false); }
      if (!isOld() && text.length > SMALL) {
        kept.value = told.paste;
        field.removeAttribute("name"); // it is not sent once more
      }
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-pastes]").forEach(paste);
  });
})();
