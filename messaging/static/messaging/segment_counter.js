"use strict";
// What a text costs, shown as it is written: <textarea data-segment-counter="ID OF THE ELEMENT THAT SHOWS IT">; the
// element is made behind the text where the page has none. The rules are those of messaging/text/segments.py; the
// tables come from it (segment_tables.js, to be loaded before this). The words come as JSON in data-labels; a label
// with _one, _few, … is chosen by the page's language. data-fields is JSON too: the merge fields that can be put
// in, each with the shortest, a typical and the longest text that it stands for: {"name": ["", "xxxx", "xxxxxxxx"]}.
const SegmentCounter = (() => {
  const WAIT = 200; // milliseconds without typing before the counter speaks
  const PLACES = 3; // named of one character
  const KINDS = 8; // of characters named
  const MARKS = 40; // more than that is a text in another alphabet: all of it would be marked
  const gsm = new Set(SEGMENT_TABLES.basic + SEGMENT_TABLES.extension);
  const extension = new Set(SEGMENT_TABLES.extension);
  const replacements = new Map(Object.entries(SEGMENT_TABLES.replacements));
  const field = new RegExp(SEGMENT_TABLES.field, "g");
  const invisible = /[\p{Z}\p{C}]/u;

  const outsideGsm7 = (characters) =>
    characters.map((character, at) => [at, character]).filter(([, character]) => !gsm.has(character));

  function count(text) {
    const characters = [...text]; // code points
    const forcing = outsideGsm7(characters);
    const ucs2 = forcing.length > 0;
    const width = (character) => (ucs2 ? character.length : extension.has(character) ? 2 : 1);
    const units = characters.reduce((sum, character) => sum + width(character), 0);
    const [single, joined] = ucs2 ? SEGMENT_TABLES.capacity.ucs : SEGMENT_TABLES.capacity.gsm;
    const room = units <= single ? single : joined;
    let segments = 1;
    let left = room;
    for (const character of characters) {
      if (width(character) > left) {
        segments += 1;
        left = room;
      }
      left -= width(character);
    }
    return {
      encoding: ucs2 ? "UCS-2" : "GSM-7",
      segments,
      units,
      unitsPerSegment: room,
      unitsLeft: left,
      characters: characters.length,
      forcing,
    };
  }

  const replacementFor = (character) => replacements.get(character) ?? null;

  // As a text is saved: each accent in one piece with its letter.
  const composed = (text) => text.normalize("NFC");

  const replaceForcing = (text) =>
    [...composed(text)].map((character) => replacements.get(character) ?? character).join("");

  // Where a field's own name stands: nobody is sent it, so it forces nothing. Its fallback is sent.
  function placesOfNames(text) {
    const places = new Set();
    for (const { 0: written, 2: fallback, index } of text.matchAll(field)) {
      const said = (fallback ?? "").trim();
      const before = said ? written.indexOf(said, written.indexOf("|")) : written.length;
      const ahead = text.slice(0, index);
      let at = [...ahead].length;
      let unit = 0;
      for (const character of written) {
        if (unit < before || unit >= before + said.length) places.add(at);
        unit += character.length;
        at += 1;
      }
    }
    return places;
  }

  // The least that any contact's text can cost: a field says nothing, or one letter where there is a fallback.
  function measure(text) {
    const least = text.replace(field, (_, name, fallback) => ((fallback ?? "").trim() ? "x" : ""));
    const characters = [...text];
    const names = placesOfNames(text);
    return {
      ...count(least),
      varies: least !== text,
      characters: characters.length,
      forcing: outsideGsm7(characters).filter(([at]) => !names.has(at)),
    };
  }

  // What the text costs with the shortest, typical and longest values; null where nothing is known of its fields.
  function estimate(text, fields) {
    const unknown = [...text.matchAll(field)].some(([, name]) => !Object.hasOwn(fields, name));
    if (unknown) return null;
    const filled = [0, 1, 2].map((size) =>
      count(text.replace(field, (_, name, fallback) => fields[name][size] || (fallback ?? "").trim())),
    );
    const segments = filled.map((one) => one.segments);
    return {
      least: Math.min(...segments),
      typical: segments[1],
      most: Math.max(...segments),
      longest: Math.max(...filled.map((one) => one.characters)),
    };
  }

  function jsonOf(textarea, name) {
    try {
      return JSON.parse(textarea.dataset[name] || "{}");
    } catch (error) {
      console.warn(`data-${name} is not JSON`, error);
      return {};
    }
  }

  function elementBehind(textarea) {
    const made = document.createElement("div");
    made.id = textarea.dataset.segmentCounter;
    textarea.after(made);
    return made;
  }

  function attach(textarea) {
    if (textarea.segmentCounter) return;
    textarea.segmentCounter = true;
    const target = document.getElementById(textarea.dataset.segmentCounter) ?? elementBehind(textarea);
    const labels = jsonOf(textarea, "labels");
    const fields = jsonOf(textarea, "fields");
    // A channel that bills no segments gives its own limit, and only characters are counted.
    const isPlain = textarea.dataset.charactersOnly !== undefined;
    const limit = Number(textarea.dataset.charactersOnly) || SEGMENT_TABLES.limit;
    const language = document.documentElement.lang || "en";
    const plural = new Intl.PluralRules(language);
    const inWords = new Intl.NumberFormat(language);
    let timer = 0;
    let shown = null;

    const shape = (value) => (typeof value === "number" ? inWords.format(value) : value);
    const fill = (label, values) =>
      label.replace(/\{(\w+)\}/g, (written, name) => (name in values ? shape(values[name]) : written));
    const say = (key, values = {}) => fill(labels[key], values);
    const sayMany = (key, n, values = {}) =>
      fill(labels[`${key}_${plural.select(n)}`] ?? labels[`${key}_other`], { n, ...values });

    function element(tag, className, text = "") {
      const made = document.createElement(tag);
      made.className = className;
      made.textContent = text;
      return made;
    }

    function button(text, replace) {
      const made = element("button", "segment-counter-replace", text);
      made.type = "button";
      made.addEventListener("click", () => {
        replaceInPlace(replace);
        textarea.focus();
      });
      return made;
    }

    // The caret stays behind the characters it was behind, however long they are now.
    function replaceInPlace(replace) {
      const plain = (text) => [...composed(text)].map((character) => replace(character) ?? character).join("");
      const { value, selectionStart, selectionEnd } = textarea;
      textarea.value = plain(value);
      const placed = (at) => plain(value.slice(0, at)).length;
      textarea.setSelectionRange(placed(selectionStart), placed(selectionEnd));
      textarea.dispatchEvent(new Event("input", { bubbles: true }));
      textarea.dispatchEvent(new Event("change", { bubbles: true }));
      refresh();
    }

    function put(text) {
      textarea.setRangeText(text, textarea.selectionStart, textarea.selectionEnd, "end");
      textarea.dispatchEvent(new Event("input", { bubbles: true }));
      textarea.dispatchEvent(new Event("change", { bubbles: true }));
      refresh();
      textarea.focus();
    }

    // Braces and bars would end it; a fallback has none.
    function withFallback(name, said) {
      const plain = said.replace(/[{}|]/g, "").trim();
      return plain ? `{{${name}|${plain}}}` : `{{${name}}}`;
    }

    function picker() {
      const box = element("p", "segment-counter-picker", say("insert"));
      const fallback = element("input", "segment-counter-fallback");
      fallback.type = "text";
      fallback.maxLength = 60;
      for (const name of Object.keys(fields)) {
        const chip = element("button", "segment-counter-field", `{{${name}}}`);
        chip.type = "button";
        chip.addEventListener("click", () => put(withFallback(name, fallback.value)));
        box.append(chip);
      }
      const label = element("label", "segment-counter-or", say("fallback"));
      label.append(fallback);
      box.append(label);
      return box;
    }

    function figures({ encoding, segments, unitsLeft, characters, varies }, expected) {
      const line = element("p", "segment-counter-figures");
      const over = characters - limit;
      const shownSize = say("characters", { n: characters, limit });
      const size = element("span", "segment-counter-characters", shownSize);
      if (over > 0) {
        size.classList.add("segment-counter-over");
        size.textContent += `, ${sayMany("too_long", over)}`;
      }
      if (isPlain) {
        line.append(size);
        return line;
      }
      line.append(size, element("span", `segment-counter-${encoding.toLowerCase()}`, encoding));
      const between = varies && expected && expected.least !== expected.most;
      const said = between
        ? say("between", expected)
        : sayMany(varies && !expected ? "at_least" : "segments", varies && expected ? expected.most : segments);
      line.append(element("span", "segment-counter-segments", said));
      if (!varies) line.append(element("span", "segment-counter-left", say("units_left", { n: unitsLeft })));
      return line;
    }

    function replaceLabel(replacement) {
      if (replacement === "") return say("remove");
      if (replacement === " ") return say("replace_by_space");
      if (replacement === "\n") return say("replace_by_line");
      return say("replace", { replacement });
    }

    function forcingItem(character, places) {
      const named = places.slice(0, PLACES).map((at) => inWords.format(at + 1)).join(", ");
      const more = places.length - PLACES;
      const hidden = invisible.test(character);
      const code = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
      const item = element("li", "segment-counter-forcing-character");
      item.append(
        element("span", "", sayMany(hidden ? "invisible" : "forces", places.length, {
          character: hidden ? code : character,
          places: more > 0 ? say("and_more", { list: named, n: more }) : named,
        })),
      );
      const replacement = replacementFor(character);
      if (replacement !== null) {
        item.append(button(replaceLabel(replacement), (other) => (other === character ? replacement : null)));
      }
      return item;
    }

    // The text once more, with what forces UCS-2 marked: a textarea cannot mark its own.
    function marked(forcing) {
      const box = element("p", "segment-counter-marked");
      box.setAttribute("aria-hidden", "true"); // the list says the same
      const places = new Set(forcing.map(([at]) => at));
      let plain = "";
      [...composed(textarea.value)].forEach((character, at) => {
        if (!places.has(at)) {
          plain += character;
          return;
        }
        box.append(plain, element("mark", "", invisible.test(character) ? "␣" : character));
        plain = "";
      });
      box.append(plain);
      return box;
    }

    function forcingList(forcing) {
      const places = new Map();
      for (const [at, character] of forcing) places.set(character, [...(places.get(character) ?? []), at]);
      const list = element("ul", "segment-counter-forcing");
      for (const [character, where] of [...places].slice(0, KINDS)) list.append(forcingItem(character, where));
      if (places.size > KINDS) {
        list.append(element("li", "segment-counter-others", sayMany("others", places.size - KINDS)));
      }
      // Only where it makes the text GSM-7: else letters lose their accents and nothing gets cheaper.
      if (places.size > 1 && [...places.keys()].every((character) => replacements.has(character))) {
        const item = element("li", "segment-counter-all");
        item.append(button(say("replace_all"), replacementFor));
        list.append(item);
      }
      const most = (text) => estimate(text, fields)?.most ?? measure(text).segments;
      const before = most(composed(textarea.value));
      const after = most(replaceForcing(textarea.value));
      if (after < before) list.append(element("li", "segment-counter-saves", say("saves", { before, after })));
      return list;
    }

    function refresh() {
      clearTimeout(timer);
      const text = composed(textarea.value);
      if (text === shown) return;
      shown = text;
      const measured = measure(text);
      const expected = measured.varies ? estimate(text, fields) : null;
      target.replaceChildren(figures(measured, expected));
      if (expected && expected.longest > limit) {
        target.append(element("p", "segment-counter-over", say("can_be_too_long", { n: expected.longest })));
      }
      if (measured.forcing.length && !isPlain) {
        if (measured.forcing.length <= MARKS) target.append(marked(measured.forcing));
        target.append(forcingList(measured.forcing));
      }
    }

    function refreshSoon() {
      clearTimeout(timer);
      timer = setTimeout(refresh, WAIT);
    }

    target.classList.add("segment-counter");
    target.setAttribute("role", "status");
    target.setAttribute("aria-live", "polite");
    if (Object.keys(fields).length) target.after(picker());
    textarea.addEventListener("input", refreshSoon);
    textarea.form?.addEventListener("reset", refreshSoon);
    refresh();
  }

  function attachAll() {
    document.querySelectorAll("textarea[data-segment-counter]").forEach(attach);
  }

  if (typeof document !== "undefined") {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", attachAll);
    else attachAll();
  }
  return { count, measure, estimate, replacementFor, replaceForcing, attach };
})();
