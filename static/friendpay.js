// Everything here is extra: each page works without it.
import { runClocks } from "./payments/clock.js";
import { readyLanguages } from "./payments/language.js";
import { watchLine } from "./payments/line.js";
import { watch } from "./payments/live.js";
import { readyButtons } from "./payments/share.js";
import { tellSteps } from "./payments/steps.js";
import { openWaitingSheet } from "./payments/wallet.js";

document.documentElement.classList.add("has-js");
runClocks();
readyButtons();
readyLanguages();
watchLine();
watch();
tellSteps();
openWaitingSheet();
