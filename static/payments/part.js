// The sum a friend types stands on the button before it goes. The server reads it, so that nobody reads it otherwise.

const PAUSE = 300;
let timer;

document.addEventListener("input", ({ target }) => {
  if (target.id !== "id_amount") return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const region = document.getElementById("live");
    const page = new URL(region.dataset.page, location.href);
    page.searchParams.set("amount", target.value);
    region.dataset.page = page.pathname + page.search;
    document.dispatchEvent(new Event("redraw"));
  }, PAUSE);
});
