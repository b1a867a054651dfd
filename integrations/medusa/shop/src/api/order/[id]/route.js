const { page } = require("../../../page");

/** What the buyer sees of her order, in every state; while it waits for a friend, the way back to her link. */
exports.GET = async function (_request, response) {
  response.type("html").send(page(show));
};

async function show() {
  const id = location.pathname.split("/").pop();
  const { order } = await store("GET", `/orders/${id}?fields=id,display_id,status,payment_status,total,currency_code`);
  told.replaceChildren();
  line("order", `Order ${order.display_id}`);
  line("status", order.status);
  line("payment", order.payment_status);
  line("total", `${order.total.toFixed(2)} ${order.currency_code.toUpperCase()}`);
  if (order.status === "canceled" || ["captured", "refunded", "partially_refunded"].includes(order.payment_status)) return;
  const button = document.createElement("button");
  button.textContent = "To your friend's link";
  button.onclick = async () => {
    const { url } = await store("POST", `/friendpay/orders/${id}`, { return_url: location.href });
    location.assign(url);
  };
  told.append(button);
}
