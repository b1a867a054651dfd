// The page says by itself what happened. A socket brings snapshots; while it is down, status.json is asked. When the state
// differs from the one on the page, the server's own rendering of this page is fetched and takes its place.

const morphing = import("./morph.js").then(({ morph }) => morph, () => null); // without it the page is loaded anew instead
const say = (what, detail) => document.dispatchEvent(new CustomEvent(what, { detail }));
const heard = (yes) => say("line", yes);

const POLL = 3000;
const LONGEST_WAIT = 15000;
const SENT = "friendpay.sent";
const ASLEEP = 10000; // after so long out of sight a line may be dead without knowing it

const region = () => document.getElementById("live");
const watched = () => region().dataset.socket;

/** This page, as it is drawn for what was typed since. */
function address() {
  const page = new URL(region().dataset.page || location.href, location.href);
  for (const { name, value } of region().querySelectorAll("[data-typed]")) page.searchParams.set(name, value);
  return page;
}

let socket = null;
let failures = 0;
let busy = false;
let again = false;
let composing = false;
let shown = ""; // the holders that the page was drawn with
let away = 0; // since when nobody can see the page
let patience = 0; // fetches that failed in a row

/** A form is on its way: where it leads counts, whatever its own doing changes here meanwhile; unless it led nowhere. */
const leaving = () => document.querySelector("form[data-sent]");

const names = (snapshot) => JSON.stringify(snapshot.holders.map((holder) => holder.name));

/** Take a snapshot in: an older one says nothing, the same one corrects the clock, a newer one changes the page. */
function consider(snapshot) {
  const { seq, state } = region().dataset;
  if (!watched() || snapshot.seq < Number(seq)) return;
  const holders = names(snapshot);
  const same = snapshot.seq === Number(seq) && snapshot.status === state && (!shown || shown === holders);
  shown = holders;
  if (!same) refresh();
  else for (const clock of document.querySelectorAll("#live, #time-left [data-left]")) clock.dataset.left = snapshot.seconds_left;
}

async function refresh() {
  if (busy || composing || leaving()) {
    again = true;
    if (leaving()) setTimeout(() => again && refresh(), 1000);
    return;
  }
  busy = true;
  again = false;
  try {
    const answer = await fetch(address(), { cache: "no-store" });
    if (leaving()) {
      again = true;
      return;
    }
    if (answer.redirected) {
      location.replace(answer.url);
      return;
    }
    if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"), await morphing);
  } catch {
    patience = Math.min(patience + 1, 5);
    setTimeout(ask, 1000 * patience);
  } finally {
    busy = false;
    if (again) refresh();
  }
}

const heading = () => region().querySelector("h1");

/** Another state is not there from one blink to the next; who wants no motion gets none. */
function fadeIn(element) {
  const shown = element?.closest(".standing, .result") ?? element;
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) shown?.animate([{ opacity: 0.2 }, { opacity: 1 }], 150);
}

function show(fresh, morph) {
  const to = fresh.getElementById("live");
  if (!to || Number(to.dataset.seq) < Number(region().dataset.seq)) return;
  patience = 0;
  if (!morph) {
    if (to.dataset.seq !== region().dataset.seq) location.replace(address());
    return;
  }
  const held = region().contains(document.activeElement);
  const before = region().dataset.announce;
  const said = heading()?.textContent;
  const stood = region().dataset.state;
  morph(region(), to);
  if (heading()?.textContent !== said) fadeIn(heading());
  if (region().dataset.state !== stood) scrollTo(0, 0); // what it has come to is said at the top
  document.title = fresh.title;
  document.querySelector("link[rel=icon]").href = fresh.querySelector("link[rel=icon]").getAttribute("href");
  say("drawn");
  if (region().dataset.announce !== before) say("announce", region().dataset.announce);
  if (held && document.activeElement === document.body) region().querySelector("h1")?.focus({ preventScroll: true });
  if (!watched()) socket?.close();
  else if (region().dataset.state === "open" && region().dataset.left === "0") setTimeout(refresh, 1500);
}

async function ask() {
  if (!watched()) return;
  try {
    const answer = await fetch(region().dataset.status, { cache: "no-cache" });
    heard(true);
    if (answer.ok) consider(await answer.json());
  } catch {
    heard(false); // the next turn, or the browser's "online", asks again
  }
}

function connect() {
  if (!watched() || socket?.readyState <= WebSocket.OPEN) return;
  const mine = new WebSocket(watched().replace(/^/, location.origin.replace(/^http/, "ws")));
  socket = mine;
  mine.onmessage = (event) => {
    failures = 0;
    heard(true);
    consider(JSON.parse(event.data));
  };
  mine.onclose = (event) => {
    if (socket !== mine) return;
    socket = null;
    if (event.code === 4404) return;
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** failures++);
    setTimeout(connect, wait * (0.5 + Math.random() / 2));
  };
}

/** Other tabs of this browser ask again, as it will be known by a cookie that comes with the wallet's answer alone. */
function tellTabs() {
  try {
    localStorage.setItem(SENT, Date.now());
  } catch {
    // a browser that keeps nothing
  }
}

function leave() {
  away = Date.now();
}

function hangUp() {
  const old = socket;
  socket = null;
  old?.close();
}

/** Back from the wallet, from sleep, from a tunnel: what the socket says may be long over, so ask. */
function wake(event) {
  if (document.hidden) return leave();
  failures = 0;
  if (event.type === "online" || Date.now() - away > ASLEEP) hangUp();
  ask();
  connect();
}

function watch() {
  if (!watched()) return;
  document.documentElement.classList.add("is-live"); // and no link to look again is needed
  document.addEventListener("redraw", refresh);
  try {
    connect();
  } catch {
    socket = null; // a browser, or something in it, that has no sockets: asking does
  }
  setInterval(() => !document.hidden && socket?.readyState !== WebSocket.OPEN && ask(), POLL);
  document.addEventListener("visibilitychange", wake);
  document.addEventListener("freeze", leave);
  document.addEventListener("resume", wake);
  window.addEventListener("pagehide", hangUp); // a browser keeps no page for its back button that has a line open
  window.addEventListener("pageshow", (event) => event.persisted && wake(event));
  window.addEventListener("online", wake);
  document.addEventListener("submit", tellTabs);
  window.addEventListener("storage", ({ key }) => {
    if (key === SENT) for (const wait of [1000, 3000, 8000]) setTimeout(refresh, wait);
  });
  document.addEventListener("lapse", () => setTimeout(refresh, 1000)); // the server's seconds are whole ones
  document.addEventListener("compositionstart", () => {
    composing = true;
  });
  document.addEventListener("compositionend", () => {
    composing = false;
    if (again) refresh();
  });
}

watch();
