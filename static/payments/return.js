// Back from the wallet: it is asked at once, and a few times more, so that a lost notification costs nobody a wait.

const AGAIN = [0, 2200, 2600, 5000, 10000];
const region = () => document.getElementById("live");

let turn = 0;
let timer;

async function check() {
  const { check: address } = region().dataset;
  if (!address) return;
  if (!document.hidden) {
    await fetch(address, { method: "POST", redirect: "manual" }).catch(() => null);
    document.dispatchEvent(new Event("redraw"));
    if (!document.documentElement.classList.contains("is-live")) location.replace(region().dataset.page);
  }
  if (++turn < AGAIN.length) timer = setTimeout(check, AGAIN[turn]);
}

function begin() {
  clearTimeout(timer);
  turn = 0;
  timer = setTimeout(check, 0);
}

// A code that waits to be scanned is asked about when its payer comes back to it, not while nobody went anywhere.
if ("check" in region().dataset && !("checkLater" in region().dataset)) begin();
document.addEventListener("visibilitychange", () => !document.hidden && begin());
window.addEventListener("pageshow", (event) => event.persisted && begin());
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !("again" in event.target.dataset)) return;
  event.preventDefault();
  begin();
});
