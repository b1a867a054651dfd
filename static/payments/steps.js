// What no server can see: that a person, and no preview, looks at a page, shares a link, sees that it is paid. Who, is not said.

const GLANCE = 1000; // whoever renders a page for a preview is gone by then
const LOOK = 10000;

const region = () => document.getElementById("live").dataset;
const said = new Set();

/** Tell an address, once; it may be lost, and nothing waits for it. */
function say(address, what) {
  if (!address || said.has(what)) return;
  said.add(what);
  navigator.sendBeacon(address, new URLSearchParams({ [what]: "1" }));
}

const open = () => say(region().opened, "open");
const choose = () => say(region().opened, "choosing");

/** Run `act` once the page was in sight for so long at a stretch. */
function seenFor(time, act) {
  let timer;
  const count = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(act, time);
  };
  count();
  document.addEventListener("visibilitychange", count);
}

function saw() {
  if (!document.hidden && "saw" in region()) say(region().step, "saw");
}

/** The buyer took a way to send the link: from then on the page waits for a friend. */
async function share(address) {
  if (!address || said.has("shared")) return;
  said.add("shared");
  try {
    await fetch(address, { method: "POST", body: new URLSearchParams({ shared: "1" }), keepalive: true });
    document.dispatchEvent(new Event("redraw"));
  } catch {
    // It may be lost, and nothing waits for it.
  }
}

/** On the buyer's page: the link was shared by any of the ways, and the page that says "paid" is in sight. */
function tellBuyers() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-sharing] :is(a, button)")) share(region().step);
  });
  document.addEventListener("visibilitychange", saw);
  new MutationObserver(saw).observe(document.getElementById("live"), { attributeFilter: ["data-saw"] });
  saw();
}

/** On the friend's page: somebody looks, then somebody does something. A tap on "Pay" says more than both, by itself. */
function tellFriends() {
  document.addEventListener("pointerdown", open, { once: true });
  for (const sign of ["wheel", "touchmove", "toggle", "input"])
    document.addEventListener(sign, choose, { capture: true, passive: true, once: true });
  seenFor(GLANCE, open);
  seenFor(LOOK, choose);
}

tellBuyers();
if (region().opened && location.hash !== "#preview") tellFriends(); // the buyer looks at what the friend will see
