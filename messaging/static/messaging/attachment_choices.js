// The library, looked at again without losing what is typed: files are added to it in another tab.
(() => {
  const chosen = new Map(); // by the list's id: the files that were ticked before it was fetched again

  const listOf = (event) => {
    const list = event.detail.target;
    return list?.matches?.("[data-attachments]") ? list : null;
  };

  document.addEventListener("htmx:beforeSwap", (event) => {
    const list = listOf(event);
    if (list) chosen.set(list.id, [...list.querySelectorAll("input:checked")].map((box) => box.value));
  });

  document.addEventListener("htmx:afterSettle", () => {
    for (const [id, values] of chosen) {
      for (const box of document.getElementById(id)?.querySelectorAll("input[type=checkbox]") ?? []) {
        box.checked ||= values.includes(box.value);
      }
    }
    chosen.clear();
  });
})();
