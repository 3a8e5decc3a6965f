"use strict";
// The text of a campaign as it is written: segments, what forces UCS-2, merge fields to insert.
document.addEventListener("DOMContentLoaded", () => {
  for (const area of document.querySelectorAll("textarea[data-segments]")) attach(area);
  function attach(area) {
    const words = JSON.parse(area.dataset.segments);
    const counter = document.createElement("div");
    counter.className = "c-counter";
    counter.setAttribute("role", "status");
    const chips = document.createElement("div");
    chips.className = "c-chips";
    area.after(counter, chips);
    const part = (text, className) => {
      const node = document.createElement("span");
      node.textContent = text;
      if (className) node.className = className;
      counter.append(node);
      return node;
    };
    const put = (text) => {
      area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
      area.focus();
      area.dispatchEvent(new Event("input"));
    };
    for (const field of words.fields || []) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `{{${field}}}`;
      button.addEventListener("click", () => put(button.textContent));
      chips.append(button);
    }
    const refresh = () => {
      counter.replaceChildren();
      const plain = area.value.replace(/\{\{\s*\w+\s*(?:\|([^{}]*))?\}\}/g, "$1");
      const varies = plain !== area.value;
      const result = Segments.count(plain), all = [...area.value].length;
      part(`${all} / ${SEGMENT_TABLES.limit} ${words.characters}`, all > SEGMENT_TABLES.limit ? "over" : "");
      if (all > SEGMENT_TABLES.limit) part(words.too_long, "over");
      part(`${varies ? words.at_least + " " : ""}${result.segments} ${result.segments === 1 ? words.segment : words.segments}`);
      part(`${result.encoding}, ${result.left} ${words.left}`);
      const seen = new Map(result.forcing.map(([at, character]) => [character, at]));
      for (const [character, at] of [...seen].slice(0, 6)) {
        const node = part(`${words.forces} “${character}” (${at + 1}) `);
        const plainer = Segments.replacement(character);
        if (plainer === undefined) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = `${words.replace} “${plainer}”`;
        button.addEventListener("click", () => { area.value = area.value.replaceAll(character, plainer); refresh(); });
        node.append(button);
      }
    };
    area.addEventListener("input", refresh);
    refresh();
  }
});
