/** Goods, a coupon, shipping and taxes in two countries: Germany has the tax in its prices, the United States on top. */
const { writeFileSync } = require("node:fs");
const { ContainerRegistrationKeys, Modules } = require("@medusajs/framework/utils");
const flows = require("@medusajs/medusa/core-flows");

const PROVIDERS = ["pp_system_default", "pp_friendpay_friendpay"];

module.exports.default = async function seed({ container }) {
  const link = container.resolve(ContainerRegistrationKeys.LINK);
  const run = async (name, input) => (await flows[name](container).run({ input })).result;

  const [store] = await container.resolve(Modules.STORE).listStores();
  const [channel] = await run("createSalesChannelsWorkflow", { salesChannelsData: [{ name: "Web" }] });
  const keys = await run("createApiKeysWorkflow", {
    api_keys: [
      { title: "Web", type: "publishable", created_by: "" },
      { title: "Desk", type: "secret", created_by: "" },
    ],
  });
  const publishable = keys.find((it) => it.type === "publishable");
  await run("linkSalesChannelsToApiKeyWorkflow", { id: publishable.id, add: [channel.id] });

  const supported_currencies = [
    { currency_code: "eur", is_default: true, is_tax_inclusive: true },
    { currency_code: "usd" },
  ];
  const store_ = { supported_currencies, default_sales_channel_id: channel.id };
  await run("updateStoresWorkflow", { selector: { id: store.id }, update: store_ });
  const regions = await run("createRegionsWorkflow", {
    regions: [
      { name: "Germany", currency_code: "eur", countries: ["de"], payment_providers: PROVIDERS },
      { name: "United States", currency_code: "usd", countries: ["us"], payment_providers: PROVIDERS },
    ],
  });
  await run("createTaxRegionsWorkflow", [
    tax("de", "VAT", 19),
    tax("us", "Sales tax", 8.875),
  ]);

  const address = { city: "Hamburg", country_code: "de", address_1: "Speicherstadt 1" };
  const [location] = await run("createStockLocationsWorkflow", { locations: [{ name: "House", address }] });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_provider_id: "manual_manual" },
  });
  const [profile] = await run("createShippingProfilesWorkflow", { data: [{ name: "Post", type: "default" }] });
  const fulfillment = container.resolve(Modules.FULFILLMENT);
  const zones = [{ name: "Post", geo_zones: ["de", "us"].map((country_code) => ({ country_code, type: "country" })) }];
  const set = await fulfillment.createFulfillmentSets({ name: "Post", type: "shipping", service_zones: zones });
  await link.create({
    [Modules.STOCK_LOCATION]: { stock_location_id: location.id },
    [Modules.FULFILLMENT]: { fulfillment_set_id: set.id },
  });
  await run("createShippingOptionsWorkflow", [
    {
      name: "By post",
      price_type: "flat",
      provider_id: "manual_manual",
      service_zone_id: set.service_zones[0].id,
      shipping_profile_id: profile.id,
      type: { label: "Post", description: "In a few days", code: "post" },
      prices: [
        { currency_code: "eur", amount: 6 },
        { currency_code: "usd", amount: 7 },
      ],
      rules: [
        { attribute: "enabled_in_store", value: "true", operator: "eq" },
        { attribute: "is_return", value: "false", operator: "eq" },
      ],
    },
  ]);
  await run("linkSalesChannelsToStockLocationWorkflow", { id: location.id, add: [channel.id] });

  const [product] = await run("createProductsWorkflow", {
    products: [
      {
        title: "Spring oolong",
        status: "published",
        shipping_profile_id: profile.id,
        options: [{ title: "Size", values: ["100 g"] }],
        variants: [
          {
            title: "100 g",
            sku: "OOLONG-100",
            options: { Size: "100 g" },
            manage_inventory: true,
            prices: [
              { currency_code: "eur", amount: 14.99 },
              { currency_code: "usd", amount: 16.65 },
            ],
          },
        ],
        sales_channels: [{ id: channel.id }],
      },
    ],
  });
  const [item] = await container.resolve(Modules.INVENTORY).listInventoryItems({ sku: "OOLONG-100" });
  await run("createInventoryLevelsWorkflow", {
    inventory_levels: [{ location_id: location.id, inventory_item_id: item.id, stocked_quantity: 100 }],
  });
  await run("createPromotionsWorkflow", {
    promotionsData: [
      {
        code: "WELCOME10",
        type: "standard",
        status: "active",
        is_automatic: false,
        application_method: { type: "percentage", target_type: "items", allocation: "across", value: 10 },
      },
    ],
  });

  const said = {
    publishable: publishable.token,
    secret: keys.find((it) => it.type === "secret").token,
    regions: { de: regions[0].id, us: regions[1].id },
    variant: product.variants[0].id,
    inventory: item.id,
    location: location.id,
  };
  writeFileSync("seeded.json", JSON.stringify(said));
};

function tax(country_code, name, rate) {
  return { country_code, provider_id: "tp_system", default_tax_rate: { name, code: name, rate } };
}
