// Everything here is extra: each page works without it.
import { runClocks } from "./payments/clock.js";
import { watch } from "./payments/live.js";
import { readyButtons } from "./payments/share.js";
import { openWaitingSheet } from "./payments/wallet.js";

document.documentElement.classList.add("has-js");
runClocks();
readyButtons();
watch();
openWaitingSheet();
