// The share sheet in a shop's page: it tells that page how far the request is and how tall it would like to be, and asks at
// once when it was opened to ask.

const region = document.getElementById("live");
const shop = region.dataset.shop;

const tell = (what) => parent.postMessage({ friendpay: what }, shop);
const stage = () => tell({ stage: region.dataset.stage });

if (shop && parent !== window) {
  stage();
  new MutationObserver(stage).observe(region, { attributeFilter: ["data-stage"] });
  new ResizeObserver(() => tell({ height: Math.ceil(region.getBoundingClientRect().height) })).observe(region);
  region.querySelector("form[data-at-once]")?.requestSubmit();
}
