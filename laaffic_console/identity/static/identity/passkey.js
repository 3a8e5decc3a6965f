"use strict";
// allauth tells of a passkey that did not work in the browser's log only; the page says why, and what to do.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const said = document.getElementById("passkey-failed");
  const reason = event.detail.exception.name;
  const known = [...said.children].find((one) => one.dataset.reason === reason);
  for (const one of said.children) one.hidden = one !== (known || said.firstElementChild);
  said.hidden = false;
});
