"use strict";
const KINDS = {
  reset_before: "cut before it is read",
  reset_after: "accepted, then cut",
  bad_gateway_before: "502, not accepted",
  bad_gateway_after: "accepted, then 502",
  html: "accepted, answered with a page",
  half_json: "accepted, half an answer",
  hang: "accepted, never answered",
  busy: "−15, not accepted",
  failure_before: "−12, not accepted",
  failure_after: "accepted, then −18",
};
const el = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const byId = (id) => document.getElementById(id);
const tell = async (door, given) => {
  const answer = await fetch("/sandbox" + door, { method: "POST", body: JSON.stringify(given) });
  byId("said").textContent = answer.ok ? "Done." : (await answer.json()).error;
};
const setFaults = (faults) => tell("/faults", faults);
for (const [kind, words] of Object.entries(KINDS)) {
  const button = el("button", "", words);
  button.type = "button";
  button.addEventListener("click", () => setFaults({ next_fault: kind, next_calls: 1 }));
  byId("faults").append(button);
}
byId("latency").addEventListener("change", (event) => setFaults({ latency_ms: Number(event.target.value) || 0 }));
byId("clear").addEventListener("click", async () => {
  await fetch("/sandbox/faults", { method: "DELETE" });
  byId("latency").value = 0;
  byId("said").textContent = "No faults.";
});
byId("reply").addEventListener("submit", async (event) => {
  event.preventDefault();
  await tell("/replies", Object.fromEntries(new FormData(event.target)));
  refresh();
});
byId("shift").addEventListener("change", async (event) => {
  await tell("/clock", { seconds: (Number(event.target.value) || 0) * 86400 });
  refresh();
});
const pictures = new Map();
const showPicture = async (id, bubble) => {
  if (!pictures.has(id)) {
    const answer = await fetch("/sandbox/attachments?id=" + encodeURIComponent(id));
    pictures.set(id, (await answer.json()).image);
  }
  if (!pictures.get(id)) return;
  const picture = el("img");
  picture.src = pictures.get(id);
  picture.alt = id;
  bubble.append(picture);
};
const showStats = (stats) => {
  const figures = { accepted: stats.accepted, delivered: stats.delivered, failed: stats.failed, pending: stats.pending,
    "sent twice": stats.duplicates["order id"], "reports pushed": stats.pushes.acknowledged || 0 };
  byId("stats").replaceChildren(...Object.entries(figures).map(([name, value]) => {
    const pair = el("div");
    pair.append(el("dt", "", name), el("dd", "", value.toLocaleString()));
    return pair;
  }));
};
const showPhones = (messages) => {
  const phones = new Map();
  for (const message of messages) phones.set(message.number, [...(phones.get(message.number) || []), message]);
  byId("empty").hidden = phones.size > 0;
  byId("phones").replaceChildren(...[...phones].map(([number, received]) => {
    const phone = el("article", "phone");
    phone.append(el("h3", "", "+" + number));
    for (const message of received.toReversed()) {
      const meta = el("div", "meta");
      const words = {
        delivered: "✓ delivered",
        failed: "✗ " + message.reason,
        sending: "on its way",
        queued: "queued",
      };
      const count = message.segments === 1 ? "1 segment" : message.segments + " segments";
      meta.append(
        el("span", "", (message.sender_id || "no sender ID") + " · " + count),
        el("span", message.state, words[message.state]),
      );
      const bubble = el("div", "bubble", (message.title ? message.title + "\n" : "") + message.content);
      for (const file of message.files) {
        bubble.append(el("div", "file", file));
        showPicture(file, bubble);
      }
      phone.append(bubble, meta);
    }
    return phone;
  }));
};
const showTables = (tables) => {
  byId("tables").replaceChildren(...Object.entries(tables).filter(([, rows]) => rows.length).map(([title, rows]) => {
    const section = el("section"), scroll = el("div", "scroll"), table = el("table"), head = el("tr");
    const columns = Object.keys(rows[0]);
    head.append(...columns.map((name) => el("th", "", name)));
    table.append(head, ...rows.map((row) => {
      const line = el("tr");
      line.append(...columns.map((name) => el("td", "", String(row[name] ?? ""))));
      return line;
    }));
    scroll.append(table);
    scroll.tabIndex = 0;
    scroll.setAttribute("aria-label", title);
    section.append(el("h2", "", title), scroll);
    return section;
  }));
};
const refresh = async () => {
  if (document.hidden) return;
  try {
    const number = encodeURIComponent(byId("search").value.replace(/\D/g, ""));
    showPhones((await (await fetch(`/sandbox/messages?limit=60&number=${number}`)).json()).messages);
    showTables((await (await fetch("/sandbox/received")).json()).tables);
    showStats(await (await fetch("/sandbox/stats")).json());
  } catch { byId("said").textContent = "The sandbox does not answer."; }
};
byId("search").addEventListener("input", refresh);
refresh();
setInterval(refresh, 2000);
