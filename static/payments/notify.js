// A word from the browser when something happens while nobody looks at the page. Asked for by a tap alone; without a sound.
// Where we can, it is told by push, whether a page is open or not; else by this page, as long as it is.

const WANTED = "notify"; // as long as this tab lives
const root = document.documentElement.classList;
const region = document.getElementById("live");
const place = () => document.querySelector("[data-notify]");

let helper = null; // phones show only what a service worker shows

const wanted = () => Notification.permission === "granted" && sessionStorage.getItem(WANTED);

async function begin() {
  root.add("notifying");
  helper = await navigator.serviceWorker.register(place().dataset.notify);
}

/** This browser's subscription; a new one where `asking`. */
async function subscription(asking) {
  helper = await navigator.serviceWorker.register(place().dataset.notify);
  const known = await helper.pushManager.getSubscription();
  if (known || !asking) return known;
  if (!place().dataset.key) throw new Error("no key to be told by");
  return helper.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: place().dataset.key });
}

/** Have it told, or with `stop` no longer; whether that was taken. */
async function tellServer(to, found, more) {
  const { endpoint, keys } = found.toJSON();
  const form = new URLSearchParams({ endpoint, ...keys, ...more });
  form.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "");
  const answer = await fetch(to, { method: "POST", body: form });
  if (!answer.ok) throw new Error(await answer.text());
}

async function tell() {
  const { announce: body, page } = region.dataset;
  if (!body || !document.hidden || !wanted()) return;
  const icon = document.querySelector("link[rel=icon]").href;
  await helper?.showNotification(document.title, { body, icon, silent: true, data: page ?? location.href });
}

function say(button, text) {
  (button.querySelector("span") ?? button).textContent = text;
  document.dispatchEvent(new CustomEvent("announce", { detail: text }));
}

async function ask(button) {
  if ((await Notification.requestPermission()) !== "granted") return say(button, place().dataset.denied);
  const { to } = button.dataset;
  button.setAttribute("aria-busy", "true");
  try {
    const found = await subscription(true);
    if ("once" in button.dataset) {
      const { at, share = "" } = Object.fromEntries(new FormData(button.form));
      await tellServer(to, found, { at, share }); // a reminder
      return location.reload();
    }
    await tellServer(to, found);
    localStorage.setItem(to, "1");
    root.add("notifying", "pushing");
  } catch (error) {
    if ("once" in button.dataset) return say(button, error.message);
    sessionStorage.setItem(WANTED, "1"); // no push here: the page tells, as long as it is open
    await begin();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function hush() {
  const { to } = place().dataset;
  root.remove("notifying", "pushing");
  sessionStorage.removeItem(WANTED);
  localStorage.removeItem(to);
  const found = await subscription(false);
  if (found) await tellServer(to, found, { stop: "on" });
}

if ("Notification" in window && "serviceWorker" in navigator && place()) {
  const pushed = localStorage.getItem(place().dataset.to) && Notification.permission === "granted";
  root.add("may-notify");
  if (pushed) root.add("notifying", "pushing");
  else if (wanted()) begin();
  new MutationObserver(tell).observe(region, { attributeFilter: ["data-announce"] });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-notify]");
    if (button) ask(button);
    if (event.target.closest("[data-hush]")) hush();
  });
}
