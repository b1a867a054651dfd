const { page } = require("../../page");

/** From two packs of tea to a placed order: `?country=us`, `?code=WELCOME10`, `?quantity=3`, `?buyer=Lin`. */
exports.GET = async function (_request, response) {
  response.type("html").send(page(checkout));
};

async function checkout() {
  const asked = new URLSearchParams(location.search);
  const country_code = asked.get("country") ?? "de";
  const region_id = shop.regions[country_code];
  const shipping_address = {
    first_name: asked.get("buyer") ?? "Lin",
    last_name: "Chen",
    address_1: "Road 1",
    city: "City",
    postal_code: "20457",
    country_code,
  };
  let { cart } = await store("POST", "/carts", {
    region_id,
    email: "lin@example.com",
    shipping_address,
    billing_address: shipping_address,
    items: [{ variant_id: shop.variant, quantity: Number(asked.get("quantity") ?? 2) }],
    promo_codes: asked.get("code") ? [asked.get("code")] : [],
  });
  const { shipping_options } = await store("GET", `/shipping-options?cart_id=${cart.id}`);
  ({ cart } = await store("POST", `/carts/${cart.id}/shipping-methods`, { option_id: shipping_options[0].id }));
  told.replaceChildren();
  line("total", `${cart.total.toFixed(2)} ${cart.currency_code.toUpperCase()}`);

  // The ways to pay: the shop's own list, and of friendpay's what it says of this cart.
  const { payment_providers } = await store("GET", `/payment-providers?region_id=${region_id}`);
  for (const { id } of payment_providers) {
    const friend = id === "pp_friendpay_friendpay";
    const { offered, label } = friend ? await store("GET", `/friendpay/carts/${cart.id}`) : { offered: true, label: "Pay by invoice" };
    if (!offered) continue;
    const button = document.createElement("button");
    button.textContent = label;
    button.onclick = () => place(id, friend).catch((error) => line("wrong", error.message));
    told.append(button, " ");
  }
  line("ready", "");

  async function place(provider_id, friend) {
    const { payment_collection } = await store("POST", "/payment-collections", { cart_id: cart.id });
    await store("POST", `/payment-collections/${payment_collection.id}/payment-sessions`, { provider_id });
    const { type, order, error } = await store("POST", `/carts/${cart.id}/complete`, {});
    if (type !== "order") throw new Error(error.message);
    const return_url = `${location.origin}/order/${order.id}`;
    if (!friend) return location.assign(return_url);
    const { url } = await store("POST", `/friendpay/orders/${order.id}`, { return_url });
    location.assign(url);
  }
}
