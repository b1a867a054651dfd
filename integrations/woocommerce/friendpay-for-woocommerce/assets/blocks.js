// "Ask a friend to pay" in the checkout of blocks. Whether it is offered, the shop's server has said already.
(() => {
  const told = window.wc.wcSettings.getSetting("friendpay_data", {});
  const text = window.wp.htmlEntities.decodeEntities;
  const element = window.wp.element.createElement;
  const description = element("p", null, text(told.description));
  window.wc.wcBlocksRegistry.registerPaymentMethod({
    name: "friendpay",
    label: element("span", null, text(told.title)),
    ariaLabel: text(told.title),
    content: description,
    edit: description,
    placeOrderButtonLabel: text(told.button),
    canMakePayment: () => true,
    supports: { features: told.supports },
  });
})();
