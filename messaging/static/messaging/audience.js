"use strict";
// An audience by clicks. Each row is drawn from a template of the page; what is sent is always text, into which the
// server turns the rows (messaging/admin/audience/audience_builder.py). A condition that rows cannot say stays text.
(() => {
  const form = document.getElementById("audience_form"), clicks = document.getElementById("clicks");
  if (!form || !clicks) return;
  const by = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(by(id).textContent);
  const rows = by("rows"), text = by("id_condition"), sent = by("by_clicks"), joined = by("joined");
  const fields = new Map(read("audience-fields").map((field) => [field.name, field]));
  const MOMENTS = new Set(["within", "longer", "since", "before", "never"]);
  const called = { country: {}, campaign: {} };
  let lists = 0;

  const part = (row, name) => row.querySelector(`[data-part="${name}"]`);
  const fresh = (id) => by(id).content.firstElementChild.cloneNode(true);
  const all = () => [...rows.children];

  // What a row says

  const chipsOf = (row) => [...part(row, "chips").children].map((chip) => chip.dataset.value);

  // What people call it, or part of that, stands for the value.
  const valueOf = (row, typed) => {
    const found = (row.offers || []).find(([value, label]) =>
      [value, label, label.replace(/ \([^()]*\)$/, "")].some((said) => said.toLowerCase() === typed.toLowerCase()));
    return found ? found[0] : typed;
  };

  const valuesOf = (row) => {
    const compares = part(row, "compares").value;
    if (compares === "set" || compares === "never") return [];
    if (compares === "since" || compares === "before") return [part(row, "day").value];
    if (MOMENTS.has(compares)) return [part(row, "many").value];
    const typed = part(row, "value").value.trim();
    return typed ? [...chipsOf(row), valueOf(row, typed)] : chipsOf(row);
  };

  const saidBy = (row) => ({
    field: part(row, "field").value,
    compares: part(row, "compares").value,
    is_not: part(row, "is_not").checked,
    name: part(row, "name").value,
    values: valuesOf(row),
    unit: part(row, "unit").value,
  });

  const isByClicks = () => !clicks.hidden;
  const keep = () => { sent.value = JSON.stringify({ rows: all().map(saidBy), is_any: joined.value === "any" }); };
  const changed = () => {
    keep();
    form.dispatchEvent(new Event("input"));
  };

  // What it may be compared with

  const fetchOffers = async (row, input, about) => {
    const asked = { about, q: input.value.trim(), name: part(row, "name").value };
    const answer = await fetch(`${clicks.dataset.offers}?${new URLSearchParams(asked)}`);
    if (!answer.ok) return;
    const { offers } = await answer.json();
    if (about !== "attribute") row.offers = offers;
    by(input.getAttribute("list")).replaceChildren(...offers.map(([value, label]) => {
      const option = document.createElement("option");
      option.value = value;
      if (label !== value) option.label = label;
      return option;
    }));
    if (about in called) Object.assign(called[about], Object.fromEntries(offers));
  };

  // Anyone who types faster than the console answers is waited for: “India” is IN as soon as it is known.
  const offer = (row, input, about) => {
    row.offering = fetchOffers(row, input, about).catch(() => {});
  };

  const offersFor = (row, input, about) => {
    lists += 1;
    const list = document.createElement("datalist");
    list.id = `offers-${lists}`;
    input.after(list);
    input.setAttribute("list", list.id);
    let timer = 0;
    input.addEventListener("focus", () => offer(row, input, about()));
    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (["group", "campaign"].includes(about())) timer = setTimeout(() => offer(row, input, about()), 200);
    });
  };

  // Drawing

  const addChip = (row, value) => {
    if (!value || chipsOf(row).includes(value)) return;
    const chip = fresh("chip-template"), [said, button] = chip.children;
    chip.dataset.value = value;
    said.textContent = called[part(row, "field").value]?.[value] || value;
    button.setAttribute("aria-label", `${button.getAttribute("aria-label")} ${said.textContent}`);
    button.addEventListener("click", () => {
      chip.remove();
      part(row, "value").focus();
      changed();
    });
    part(row, "chips").append(chip);
  };

  const takeTyped = async (row) => {
    await row.offering;
    const input = part(row, "value");
    addChip(row, valueOf(row, input.value.trim()));
    input.value = "";
    changed();
  };

  // Shows of a row what its field and its comparison need.
  const fit = (row) => {
    const field = part(row, "field").value, compares = part(row, "compares").value;
    const isOfMoments = MOMENTS.has(compares);
    part(row, "name").hidden = field !== "attribute";
    part(row, "values").hidden = isOfMoments || compares === "set";
    part(row, "ago").hidden = compares !== "within" && compares !== "longer";
    part(row, "day").hidden = compares !== "since" && compares !== "before";
  };

  const choose = (row, field) => {
    part(row, "field").value = field;
    const options = fields.get(field).compares.map(([value, label]) => new Option(label, value));
    part(row, "compares").replaceChildren(...options);
    part(row, "chips").replaceChildren();
    part(row, "value").value = "";
    row.offers = [];
    fit(row);
  };

  const number = () => {
    for (const [place, row] of all().entries()) {
      const legend = row.querySelector("legend");
      legend.dataset.word ||= legend.textContent;
      legend.textContent = `${legend.dataset.word} ${place + 1}`;
    }
    by("add-row").disabled = rows.children.length >= Number(clicks.dataset.most);
  };

  const drop = (row) => {
    const place = all().indexOf(row);
    row.remove();
    number();
    const next = all()[Math.min(place, rows.children.length - 1)];
    (next ? part(next, "field") : by("add-row")).focus();
    by("rows-said").textContent = clicks.dataset.removed;
    changed();
  };

  const listen = (row) => {
    const input = part(row, "value"), problem = part(row, "problem");
    lists += 1;
    problem.id = `problem-${lists}`;
    row.setAttribute("aria-describedby", problem.id);
    offersFor(row, input, () => (part(row, "field").value === "attribute" ? "value" : part(row, "field").value));
    offersFor(row, part(row, "name"), () => "attribute");
    part(row, "field").addEventListener("change", (event) => choose(row, event.target.value));
    part(row, "compares").addEventListener("change", () => fit(row));
    part(row, "remove").addEventListener("click", () => drop(row));
    input.addEventListener("change", () => takeTyped(row));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        takeTyped(row);
      }
    });
  };

  const add = (said) => {
    const row = fresh("row-template");
    listen(row);
    choose(row, said.field);
    rows.append(row);
    number();
    if (said.compares) part(row, "compares").value = said.compares;
    part(row, "is_not").checked = said.is_not === true;
    part(row, "name").value = said.name || "";
    const values = said.values || [], { compares } = said;
    if (compares === "since" || compares === "before") [part(row, "day").value] = values;
    else if (MOMENTS.has(compares)) part(row, "many").value = values[0] ?? "";
    else for (const value of values) addChip(row, value);
    if (said.unit) part(row, "unit").value = said.unit;
    fit(row);
    return row;
  };

  // Both ways

  const tell = (problem) => {
    by("switch-problem").textContent = problem;
    by("switch-problem").hidden = !problem;
  };

  const problemsAre = (problems) => {
    for (const [place, row] of all().entries()) {
      const said = problems[place] || "", shown = part(row, "problem");
      if (shown.textContent !== said) shown.textContent = said;
      row.classList.toggle("wrong", Boolean(said));
    }
  };

  const show = (isClicks) => {
    clicks.hidden = !isClicks;
    by("text").hidden = isClicks;
    sent.disabled = !isClicks;
    by("by-clicks").setAttribute("aria-pressed", String(isClicks));
    by("as-text").setAttribute("aria-pressed", String(!isClicks));
    tell("");
  };

  const drawRows = (found) => {
    for (const about of Object.keys(called)) Object.assign(called[about], found.called?.[about]);
    rows.replaceChildren();
    joined.value = found.is_any ? "any" : "";
    found.rows.forEach(add);
    if (!found.rows.length) add({ field: "country" });
    keep();
    show(true);
  };

  // Anyone who was signed out, or has signed in again since this page was opened, is answered so.
  let isTurnedAway = false;
  const convert = async () => {
    const body = new FormData(form);
    const answer = await fetch(clicks.dataset.convert, { method: "POST", body });
    isTurnedAway = answer.redirected || answer.status === 403;
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    return answer.json();
  };

  // Whether the rows are in the text now; what prevents it is shown beside them.
  const intoText = async () => {
    await Promise.all(all().map((row) => row.offering));
    keep();
    let told = {};
    isTurnedAway = false;
    try {
      told = await convert();
    } catch {
      told = { problem: clicks.dataset.failed };
    }
    tell(told.problem || "");
    problemsAre(told.problems || {});
    if (told.text === undefined) {
      const bad = rows.querySelector(".wrong");
      if (bad) part(bad, "field").focus();
      return false;
    }
    text.value = told.text;
    return true;
  };

  by("as-text").addEventListener("click", async () => {
    if (!isByClicks() || !(await intoText())) return;
    show(false);
    text.focus();
  });

  by("by-clicks").addEventListener("click", async () => {
    if (isByClicks()) return;
    try {
      const told = await convert();
      if (told.rows) {
        drawRows(told);
        part(rows.firstElementChild, "field").focus();
        changed();
      } else tell(told.problem);
    } catch { tell(clicks.dataset.failed); }
  });

  by("add-row").addEventListener("click", () => {
    part(add({ field: "country" }), "field").focus();
    changed();
  });

  // Before the form's own listeners: they keep what is asked about beside it.
  clicks.addEventListener("input", keep);
  clicks.addEventListener("change", keep);
  form.addEventListener("answered", () => problemsAre(JSON.parse(by("beside").dataset.problems || "{}")));

  let isWritten = false;
  form.addEventListener("submit", async (event) => {
    if (!isByClicks() || isWritten) return;
    event.preventDefault();
    if (!(await intoText())) {
      if (!isTurnedAway) return;
      text.value = ""; // the form is kept with its rows (kit/forms/kept_forms.py), which the server makes text then
    }
    isWritten = true;
    form.requestSubmit(event.submitter);
    isWritten = false;
  });

  by("switch").hidden = false;
  const shown = read("audience-rows");
  if (shown.rows) drawRows(shown);
})();
