// The payment sheet of WeChat's own browser. Its "ok" is a word to this page, not to the shop: the receipt waits for the shop's.

import { announce } from "./clock.js";

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
  announce(text);
}

export async function openSheet(button) {
  const { wallet, receipt, cancelled, failed, nowhere } = button.dataset;
  const sheet = await bridge();
  if (!sheet) return say(nowhere);
  sheet.invoke("getBrandWCPayRequest", JSON.parse(wallet), ({ err_msg: word }) => {
    if (word.endsWith(":ok")) location.assign(receipt);
    else say(word.endsWith(":cancel") ? cancelled : failed);
  });
}

/** The payer has tapped "Pay" already: the sheet opens by itself, once. */
export function openWaitingSheet() {
  const button = document.querySelector("[data-wallet]");
  if (button) openSheet(button);
}
