// Drives Alipay's own SDK: one JSON command per line in, one JSON answer per line out.
//
//   {"config": {...}}                                first, what the SDK is made with
//   {"do": "exec", "args": [method, params, options]}
//   {"do": "pageExecute", "args": [method, "GET" | "POST", params]}
//   {"do": "checkNotifySignV2", "args": [params]}

const { createInterface } = require("node:readline");
const { AlipaySdk } = require("alipay-sdk");

let sdk;

async function answer({ config, do: name, args }) {
  if (config) {
    sdk = new AlipaySdk(config);
    return { ok: true };
  }
  try {
    return { result: await sdk[name](...args) };
  } catch (error) {
    return { error: error.message };
  }
}

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  }
})();
