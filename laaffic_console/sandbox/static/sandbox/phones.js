"use strict";
const KINDS = {
  reset_before: "cut before it is read", reset_after: "accepted, then cut", bad_gateway_before: "502, not accepted",
  bad_gateway_after: "accepted, then 502", html: "accepted, answered with a page", half_json: "accepted, half an answer",
  hang: "accepted, never answered",
};
const el = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const byId = (id) => document.getElementById(id);
const setFaults = async (faults) => {
  const answer = await fetch("/sandbox/faults", { method: "POST", body: JSON.stringify(faults) });
  byId("said").textContent = answer.ok ? "Set." : (await answer.json()).error;
};
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
    for (const message of received.reverse()) {
      const meta = el("div", "meta");
      const words = { delivered: "✓ delivered", failed: "✗ " + message.reason, sending: "on its way", queued: "queued" };
      const count = message.segments === 1 ? "1 segment" : message.segments + " segments";
      meta.append(el("span", "", (message.sender_id || "no sender ID") + " · " + count), el("span", message.state, words[message.state]));
      phone.append(el("div", "bubble", message.content), meta);
    }
    return phone;
  }));
};
const refresh = async () => {
  if (document.hidden) return;
  try {
    const number = encodeURIComponent(byId("search").value.replace(/\D/g, ""));
    showPhones((await (await fetch(`/sandbox/messages?limit=60&number=${number}`)).json()).messages);
    showStats(await (await fetch("/sandbox/stats")).json());
  } catch { byId("said").textContent = "The sandbox does not answer."; }
};
byId("search").addEventListener("input", refresh);
refresh();
setInterval(refresh, 2000);
