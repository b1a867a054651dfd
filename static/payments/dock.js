// What is last on a page can be scrolled to above the dock, however tall that is: the style sheet knows a usual height only.

const size = new ResizeObserver(([{ target }]) => {
  document.documentElement.style.setProperty("--dock", `${target.offsetHeight}px`);
});
let measured = null;

/** Another drawing of the page may have another dock. */
function measure() {
  const dock = document.querySelector(".dock");
  if (dock === measured) return;
  size.disconnect();
  measured = dock;
  if (dock) size.observe(dock);
}

document.addEventListener("drawn", measure);
measure();
