// Buttons that a page cannot have without a script: share, copy, paste, print, and a wallet's payment sheet.

/** Whether it is on the clipboard now. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "sr" });
    document.body.append(field); // a page without TLS has no clipboard: the old way still works there
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

const labels = new WeakMap(); // button -> its own words, while it says others

function say(button, text) {
  const label = button.querySelector("span") ?? button;
  if (!labels.has(button)) labels.set(button, label.textContent);
  label.textContent = text;
  document.dispatchEvent(new CustomEvent("announce", { detail: text }));
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    if (label.textContent === text) label.textContent = labels.get(button); // else the page was drawn anew meanwhile
    labels.delete(button);
  }, 2500);
}

/** Where the picture is, as the boxes beside it say what is on it. */
function pictureAddress(form) {
  const query = new URLSearchParams(new FormData(form)).toString();
  return query ? `${form.action}?${query}` : form.action;
}

const PICTURE = ["friendpay.png", { type: "image/png" }];
let picture = { address: "", file: null }; // as it was last fetched

const pictureForm = () => document.getElementById("picture");

/** Fetched before it is asked for, so that a tap need not wait. */
function fetchPicture(form) {
  const address = pictureAddress(form);
  if (picture.address !== address) {
    const file = fetch(address).then(async (answer) => (answer.ok ? new File([await answer.blob()], ...PICTURE) : null));
    picture = { address, file: file.catch(() => null) };
  }
  return picture.file;
}

const acts = {
  async share(button) {
    const text = button.dataset.share;
    if (!navigator.share) return acts.copy(button, text);
    try {
      await navigator.share({ text }); // words alone: of words and a picture some messengers keep only one
    } catch (error) {
      if (error.name !== "AbortError") await acts.copy(button, text);
    }
  },
  async sharePicture(button) {
    button.setAttribute("aria-busy", "true");
    const file = await fetchPicture(button.form);
    button.removeAttribute("aria-busy");
    if (file) await navigator.share({ files: [file] }).catch(() => {});
  },
  async copy(button, text = button.dataset.copy) {
    const fold = document.getElementById(button.dataset.unfold);
    for (let it = fold; it; it = it.parentElement.closest("details")) it.open = true;
    const done = await copy(text);
    fold?.scrollIntoView({ block: "center" });
    if (done) say(button, button.dataset.done);
    else window.prompt("", text); // for the hand to copy
  },
  async paste(button) {
    const field = document.getElementById(button.dataset.paste);
    field.focus();
    try {
      field.value = await navigator.clipboard.readText();
      if (field.value.trim()) field.form.requestSubmit();
    } catch {
      // Not allowed: the field has the focus, so that the keyboard's own "paste" is one tap away.
    }
  },
  print: () => window.print(),
};

/** Asking opens the share sheet by the same tap: what the answer has to share is shared, then its page is shown. */
async function askAndShare(form) {
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const text = page.querySelector("[data-share]")?.dataset.share;
    if (!answer.redirected || !text) throw new Error("nothing to share");
    const { step } = page.getElementById("live").dataset;
    const told = () => fetch(step, { method: "POST", body: new URLSearchParams({ shared: "1" }) });
    await navigator.share({ text }).then(told).catch(() => {}); // not now, or too late: the button is on the page
    location.replace(answer.url);
  } catch {
    form.submit(); // the ordinary way says what is wrong; asking twice asks once
  }
}

/** A tap that led nowhere (a load that was stopped, a file, an app) may be made again. */
const TAP_LASTS = 12000;

function free(form) {
  clearTimeout(form.patience);
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

/** A share code is complete at its eighth sign; a pasted message has its link in it. Whether it is right, the server says. */
const isWhole = (text) => /^[2-9A-HJ-NP-Z]{8}$/i.test(text.replace(/[\s\-_.·•]/g, "")) || /\/p\/\w{20,}\//.test(text);

/** One listener for all, so that buttons in a fresh rendering work as well. */
function readyButtons() {
  document.documentElement.classList.add("has-js");
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    for (const name in acts) if (button && name in button.dataset) acts[name](button);
  });
  document.addEventListener("change", ({ target: { form } }) => {
    const shown = form?.querySelector("img.poster");
    if (!shown) return;
    shown.srcset = pictureAddress(form); // its src stays the server's: a fresh rendering would undo it
    fetchPicture(form);
  });
  document.addEventListener("toggle", ({ target }) => target.id === "picture-fold" && fetchPicture(pictureForm()), true);
  if (navigator.canShare?.({ files: [new File([], ...PICTURE)] })) document.documentElement.classList.add("shares-files");
  document.addEventListener("input", ({ target }) => {
    if ("code" in target.dataset && isWhole(target.value)) target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "get") return; // the same picture may be saved again
    const again = event.target.dataset.sent;
    const asks = "ask" in event.target.dataset && navigator.share;
    if (again || asks) event.preventDefault(); // a second tap while the first is on its way
    event.target.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
    event.target.patience = setTimeout(free, TAP_LASTS, event.target);
    if (asks && !again) askAndShare(event.target);
  });
  window.addEventListener("pageshow", () => [...document.forms].forEach(free));
  window.navigation?.addEventListener("navigateerror", () => [...document.forms].forEach(free)); // stopped by hand
}

readyButtons();
