const { readFileSync } = require("node:fs");

const STYLE = "body { font: 1.1rem system-ui; max-width: 36rem; margin: 2rem auto; padding: 0 1rem } button { font: inherit; padding: .6rem 1rem }";

/** A page whose script calls Medusa's store API, as a storefront of any make does. */
exports.page = function (script) {
  const { publishable, regions, variant } = JSON.parse(readFileSync("seeded.json", "utf8"));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The tea house</title>
<style>${STYLE}</style>
<h1>The tea house</h1>
<div id="told">One moment…</div>
<script type="module">
const shop = ${JSON.stringify({ regions, variant })};
const told = document.getElementById("told");
async function store(method, path, body) {
  const answer = await fetch("/store" + path, {
    method,
    headers: { "content-type": "application/json", "x-publishable-api-key": ${JSON.stringify(publishable)} },
    body: body && JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}
function line(name, text) {
  const place = document.createElement("p");
  place.id = name;
  place.textContent = text;
  told.append(place);
  return place;
}
try {
  await (${script})();
} catch (error) {
  line("wrong", error.message).setAttribute("role", "alert");
}
</script>
</html>`;
};
