// <friend-pay checkout="…">: a button for a shop's page that opens the share sheet in place.
//
//   <script type="module" src="https://pay.example/static/payments/friendpay.js"></script>
//   <friend-pay checkout="{checkout_url}"><a href="{checkout_url}">Ask a friend to pay</a></friend-pay>
//
// The link inside is what people get without JavaScript, and where the button leads when this page's origin is not registered
// for the shop. Events: friendpay:opened, :closed, and :ready, :asked, :paying, :paid, :expired, :cancelled as it goes on.
// They are for the eye: deliver on the webhook alone. No innerHTML and no style attributes: a strict policy needs no exception.

const styles = new CSSStyleSheet();
styles.replaceSync(`
:host { display: inline-block; font: var(--friendpay-font, inherit) }
:host([hidden]) { display: none }
.button { display: flex; align-items: center; justify-content: center; box-sizing: border-box; width: 100%; min-height: 3rem;
  padding: .6em 1.4em; border: var(--friendpay-border, 0); border-radius: var(--friendpay-radius, 99px); cursor: pointer;
  background: var(--friendpay-background, #0b7a4b); color: var(--friendpay-color, #fff);
  font: var(--friendpay-font, inherit); font-weight: 600; text-align: center; text-decoration: none }
.button:hover { filter: brightness(1.08) }
.button:focus-visible, .close:focus-visible { outline: 3px solid var(--friendpay-background, #0b7a4b); outline-offset: 3px }
.button[data-stage=paid] { cursor: default }
dialog { box-sizing: border-box; width: min(27rem, 100vw - 1rem); max-width: none; max-height: calc(100dvh - 1rem); padding: 0;
  border: 0; border-radius: var(--friendpay-sheet-radius, 16px); overflow: hidden;
  color-scheme: light dark; background: light-dark(#f6f5f2, #131412); color: CanvasText; box-shadow: 0 12px 48px rgb(0 0 0 / .3) }
dialog::backdrop { background: var(--friendpay-backdrop, rgb(0 0 0 / .45)) }
iframe { display: block; width: 100%; height: 34rem; max-height: calc(100dvh - 1rem); border: 0; color-scheme: light dark }
.close { position: absolute; inset-block-start: .25rem; inset-inline-end: .25rem; width: 3rem; height: 3rem; border: 0;
  background: none; color: inherit; font: 1.5rem/1 system-ui; cursor: pointer }
@media (max-width: 30rem) {
  dialog { width: 100%; margin: auto 0 0; border-radius: 16px 16px 0 0 }
}
`);

const parsed = (given) => {
  try {
    return new URL(given, location.href);
  } catch {
    return null;
  }
};
const make = (name, properties) => Object.assign(document.createElement(name), properties);

class FriendPay extends HTMLElement {
  static observedAttributes = ["checkout"];
  #root = this.attachShadow({ mode: "open" });
  #checkout = null;
  #stage = "";
  #dialog = null;
  #frame = null;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [styles];
    this.#root.append(document.createElement("slot")); // the link inside, until there is a button
  }

  connectedCallback() {
    addEventListener("message", this);
    this.#begin();
  }

  disconnectedCallback() {
    removeEventListener("message", this);
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#begin();
  }

  /** How far it is: ready, asked, paying, paid, expired, cancelled; "" before that is known, or where it is not told. */
  get stage() {
    return this.#stage;
  }

  /** Open the sheet, or go to the checkout where it may not be opened here. */
  open() {
    this.#root.querySelector(".button")?.click();
  }

  async #begin() {
    const given = this.getAttribute("checkout") ?? "";
    const address = parsed(given);
    this.#checkout = address;
    this.#dialog?.remove();
    this.#dialog = this.#frame = null;
    this.#stage = "";
    if (!address || !/^https?:$/.test(address.protocol)) {
      this.#root.replaceChildren(document.createElement("slot"));
      return;
    }
    const label = this.textContent.trim() || "Ask a friend to pay";
    this.#show(make("a", { href: address.href, target: "_top", textContent: label }));
    try {
      const answer = await fetch(new URL("embed.json", address), { credentials: "omit" });
      const about = answer.ok ? await answer.json() : null;
      if (about && this.#checkout === address) this.#take(about, label);
    } catch {
      // This page's origin is not registered, or nobody answers: the link it is.
    }
  }

  #take(about, label) {
    if (about.stage === "paid") this.#show(make("span", { textContent: about.label }));
    else if (about.opens) {
      const button = make("button", { type: "button", textContent: this.textContent.trim() ? label : about.label });
      button.ariaHasPopup = "dialog";
      button.onclick = () => this.#openSheet(button.textContent, about.close);
      this.#show(button);
    } else this.#root.querySelector(".button").textContent = about.label;
    this.#reach(about.stage);
  }

  #show(control) {
    control.className = "button";
    control.part = "button";
    this.#root.querySelector(".button, slot")?.remove();
    this.#root.prepend(control);
  }

  #openSheet(title, close) {
    if (!this.#dialog) {
      const address = new URL("embed/", this.#checkout);
      address.searchParams.set("origin", location.origin);
      this.#frame = make("iframe", { title, allow: "clipboard-write; web-share" });
      this.#frame.src = address;
      const shut = make("button", { type: "button", className: "close", textContent: "×", ariaLabel: close });
      this.#dialog = make("dialog", { ariaLabel: title });
      this.#dialog.part = "sheet";
      shut.onclick = () => this.#dialog.close();
      this.#dialog.onclick = (event) => event.target === this.#dialog && this.#dialog.close();
      this.#dialog.onclose = () => this.#say("closed");
      this.#dialog.append(shut, this.#frame);
      this.#root.append(this.#dialog);
    }
    this.#dialog.showModal(); // once open it stays in the page, so that what happens later is told as well
    this.#say("opened");
  }

  /** What the sheet tells, and nobody else. */
  handleEvent({ source, origin, data }) {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#checkout.origin) return;
    const { stage, height } = data?.friendpay ?? {};
    if (Number.isFinite(height)) this.#frame.style.height = `${height}px`;
    if (typeof stage === "string") this.#reach(stage);
  }

  #reach(stage) {
    if (stage === this.#stage) return;
    this.#stage = stage;
    const button = this.#root.querySelector(".button");
    button.dataset.stage = stage;
    this.#say(stage);
  }

  #say(what) {
    const detail = { checkout: this.#checkout.href };
    this.dispatchEvent(new CustomEvent(`friendpay:${what}`, { bubbles: true, composed: true, detail }));
  }
}

if (!customElements.get("friend-pay")) customElements.define("friend-pay", FriendPay);
