// Turn one rendering of the server's into the next, touching only what differs: focus, typed text, open folds and pictures stay.

const KEPT = new Set(["open", "value", "srcset", "data-typed"]); // what the person did since

/** What was said to this person, and would not be said on a page that is loaded now: it stays as long as they do. */
const kept = (node) => node.dataset && "keep" in node.dataset;

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

export function morph(from, to) {
  if (from.isEqualNode(to) || kept(from)) return;
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const due = new Set(Array.from(to.children, ({ id }) => id).filter(Boolean)); // none of these is dropped on the way to another
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    let found = at;
    while (found && !alike(found, wanted)) found = due.has(found.id) ? null : found.nextSibling;
    if (found) {
      while (at !== found) at = kept(at) ? at.nextSibling : drop(at);
      at = found.nextSibling;
      morph(found, wanted);
    } else {
      from.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) at = kept(at) ? at.nextSibling : drop(at);
}

function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
