"use strict";
// Counts segments as one types; the same rules as messaging/segments.py, from the same tables.
const Segments = (() => {
  const basic = new Set(SEGMENT_TABLES.basic), extension = new Set(SEGMENT_TABLES.extension);
  const count = (text) => {
    const characters = [...text];
    const forcing = [];
    characters.forEach((character, at) => {
      if (!basic.has(character) && !extension.has(character)) forcing.push([at, character]);
    });
    const ucs = forcing.length > 0;
    const width = (character) => (ucs ? character.length : extension.has(character) ? 2 : 1);
    const [single, joined] = ucs ? SEGMENT_TABLES.capacity.ucs : SEGMENT_TABLES.capacity.gsm;
    const units = characters.reduce((sum, character) => sum + width(character), 0);
    const result = { encoding: ucs ? "UCS-2" : "GSM-7", units, characters: characters.length, forcing };
    if (units <= single) return { ...result, segments: 1, left: single - units };
    let segments = 1, room = joined;
    for (const character of characters) {
      if (width(character) > room) { segments += 1; room = joined; }
      room -= width(character);
    }
    return { ...result, segments, left: room };
  };
  return { count, replacement: (character) => SEGMENT_TABLES.replacements[character] };
})();
if (typeof module !== "undefined") module.exports = Segments;
