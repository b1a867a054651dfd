// A word from the browser when something happens while nobody looks at the page. Asked for by a tap alone; without a sound.

const WANTED = "notify"; // as long as this tab lives
const root = document.documentElement.classList;
const region = document.getElementById("live");
const worker = () => document.querySelector("[data-notify]")?.dataset.notify;

let helper = null; // phones show only what a service worker shows

const wanted = () => Notification.permission === "granted" && sessionStorage.getItem(WANTED);

async function begin() {
  root.add("notifying");
  helper = await navigator.serviceWorker.register(worker());
}

async function tell() {
  const { announce: body, page } = region.dataset;
  if (!body || !document.hidden || !wanted()) return;
  const icon = document.querySelector("link[rel=icon]").href;
  await helper?.showNotification(document.title, { body, icon, silent: true, data: page ?? location.href });
}

async function ask(button) {
  if ((await Notification.requestPermission()) === "granted") {
    sessionStorage.setItem(WANTED, "1");
    await begin();
  } else {
    button.querySelector("span").textContent = button.dataset.denied;
  }
}

if ("Notification" in window && "serviceWorker" in navigator && worker()) {
  root.add("may-notify");
  if (wanted()) begin();
  new MutationObserver(tell).observe(region, { attributeFilter: ["data-announce"] });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-notify]");
    if (button) ask(button);
  });
}
