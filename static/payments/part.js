// The sum a friend types stands on the button before it goes. The server reads it, so that nobody reads it otherwise: what
// was typed is marked, and goes along whenever the page is drawn anew. A name is kept on this device, if she wants that.

const PAUSE = 300;
const NAME = "friendpay.name";
let timer;

const field = (id) => document.getElementById(id);
const redraw = () => document.dispatchEvent(new Event("redraw"));

/** What is kept here; nothing where the browser keeps nothing. */
const kept = (name, value) => {
  try {
    if (value === undefined) return localStorage.getItem(name) ?? "";
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // cookies are blocked, and so is this
  }
  return "";
};

const keepName = () => kept(NAME, field("remember-name")?.checked ? field("id_name").value.trim() : "");

function fillName() {
  const name = kept(NAME);
  if (!name || !field("id_name") || field("id_name").value) return;
  field("id_name").value = name;
  field("remember-name").checked = true;
  field("who").open = true;
}

document.addEventListener("input", ({ target }) => {
  if (target.id === "remember-name" || (target.id === "id_name" && field("remember-name")?.checked)) keepName();
  if (target.id !== "id_amount") return;
  target.dataset.typed = "";
  clearTimeout(timer);
  timer = setTimeout(redraw, PAUSE);
});
document.addEventListener("click", (event) => {
  const part = event.target.closest("[data-part]");
  if (!part || !field("id_amount")) return;
  event.preventDefault();
  field("id_amount").value = part.dataset.part;
  field("id_amount").dataset.typed = "";
  redraw();
});
fillName();
