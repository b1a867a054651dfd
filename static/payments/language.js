// Another language without leaving the page: what was typed and unfolded stays. Without a script the page is loaded anew.

import { morph } from "./morph.js";

async function change(form, button) {
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) }).catch(() => null);
  const fresh = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!fresh?.getElementById("live")) return; // offline, which the page says
  const { lang, dir } = fresh.documentElement;
  Object.assign(document.documentElement, { lang, dir });
  document.title = fresh.title;
  morph(document.body, fresh.body);
  document.dispatchEvent(new Event("drawn"));
  const fold = document.querySelector(".tongues");
  fold.open = false;
  fold.querySelector("summary").focus({ preventScroll: true });
}

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !("language" in event.target.dataset)) return;
  event.preventDefault();
  change(event.target, event.submitter);
});
