// Time left runs here between two words from the server, and moments are told in the reader's own zone. Whoever draws the
// page anew says "drawn".

const deadlines = new WeakMap(); // element -> [the server's figure, when it ends by this device's clock]

const digits = (seconds) => {
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

const endOf = (element) => {
  let known = deadlines.get(element);
  if (known?.[0] !== element.dataset.left) {
    known = [element.dataset.left, Date.now() + Number(element.dataset.left) * 1000];
    deadlines.set(element, known);
  }
  return known[1];
};

const midnight = (when) => new Date(when).setHours(0, 0, 0, 0);
const daysUntil = (when) => Math.round((midnight(when) - midnight(Date.now())) / 86400000);

/** The server spoke: all times left are counted from now. */
function setClocks() {
  for (const element of document.querySelectorAll("[data-left]")) {
    deadlines.delete(element);
    endOf(element);
  }
  const { lang } = document.documentElement;
  const own = navigator.languages.find((it) => it === lang || it.startsWith(`${lang}-`)) ?? lang; // a reader's own Spanish
  const locale = new Intl.Locale(own, { numberingSystem: "latn" }); // the digits of all amounts on the page
  const form = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const word = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const element of document.querySelectorAll("time[datetime]")) {
    const when = new Date(element.dateTime);
    const far = element.closest(".facts") ? 9 : daysUntil(when); // facts may be printed
    const near = far ? `${word.format(far, "day")} ${clock.format(when)}` : clock.format(when);
    element.textContent = Math.abs(far) > 1 ? form.format(when) : near;
  }
}

/** Let the times run; says "lapse" once for each that ends. */
function runClocks() {
  setClocks();
  document.addEventListener("drawn", setClocks);
  const lapsed = new WeakSet();
  setInterval(() => {
    for (const element of document.querySelectorAll("[data-left]")) {
      const left = Math.max(0, Math.ceil((endOf(element) - Date.now()) / 1000));
      if (element.id !== "live" && element.textContent !== digits(left)) element.textContent = digits(left);
      if (left) lapsed.delete(element);
      else if (!lapsed.has(element)) {
        lapsed.add(element);
        document.dispatchEvent(new Event("lapse"));
      }
    }
  }, 250);
}

runClocks();
