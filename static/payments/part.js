// The sum a friend types stands on the button before it goes. The server reads it, so that nobody reads it otherwise: what
// was typed is marked, and goes along whenever the page is drawn anew.

const PAUSE = 300;
let timer;

document.addEventListener("input", ({ target }) => {
  if (target.id !== "id_amount") return;
  target.dataset.typed = "";
  clearTimeout(timer);
  timer = setTimeout(() => document.dispatchEvent(new Event("redraw")), PAUSE);
});
