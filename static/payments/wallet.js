// The payment sheet of WeChat's own browser. Its "ok" is a word to this page, not to the shop: the receipt waits for the shop's.

const PATIENCE = 3000;

/** WeChat puts its bridge into the page in its own time. */
const bridge = () =>
  new Promise((resolve) => {
    if (window.WeixinJSBridge) resolve(window.WeixinJSBridge);
    document.addEventListener("WeixinJSBridgeReady", () => resolve(window.WeixinJSBridge), { once: true });
    setTimeout(() => resolve(window.WeixinJSBridge), PATIENCE);
  });

function say(text) {
  document.getElementById("wallet-words").textContent = text;
  document.dispatchEvent(new CustomEvent("announce", { detail: text }));
}

async function openSheet(button) {
  const { wallet, receipt, cancelled, failed, nowhere } = button.dataset;
  const sheet = await bridge();
  if (!sheet) return say(nowhere);
  sheet.invoke("getBrandWCPayRequest", JSON.parse(wallet), ({ err_msg: word }) => {
    if (word.endsWith(":ok")) location.assign(receipt);
    else say(word.endsWith(":cancel") ? cancelled : failed);
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-wallet]");
  if (button) openSheet(button);
});

// The payer has tapped "Pay" already: the sheet opens by itself, once.
const waiting = document.querySelector("[data-wallet]");
if (waiting) openSheet(waiting);
