// The desk's own: times in the reader's zone, and "/" to search.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const told = document.cookie.split("; ").includes(`zone=${zone}`);
  if (!told) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser, and is asynchronous
    document.cookie = `zone=${zone}; Path=/admin/; Max-Age=31536000; SameSite=Lax${secure}`;
    if (document.querySelector("[data-zone]") && document.cookie.includes("zone=")) location.reload();
  }
  document.addEventListener("keydown", (event) => {
    const box = document.querySelector(".desk-find input");
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || !box || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    box.select();
  }, true);
})();
