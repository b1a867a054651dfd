/**
 * `node integrations/medusa/pack.mjs ../my-shop` builds friendpay's client and this plugin with the shop's own Medusa and
 * TypeScript, and leaves two packages beside the shop's package.json, for `npm install ./friendpay-*.tgz`.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const shop = resolve(process.argv[2] ?? ".");
const work = join(shop, "node_modules", ".friendpay");
const modules = join(work, "node_modules");
const PARTS = ["README.md", "package.json", "src", "tsconfig.json"];

rmSync(work, { recursive: true, force: true });
mkdirSync(modules, { recursive: true });
for (const [name, source] of [["friendpay-client", join(here, "..", "..", "clients", "node")], ["friendpay-medusa", here]]) {
  const folder = join(modules, name);
  for (const part of PARTS) cpSync(join(source, part), join(folder, part), { recursive: true });
  execFileSync(process.execPath, [join(shop, "node_modules/typescript/bin/tsc")], { cwd: folder, stdio: "inherit" });
  if (!process.argv.includes("--link")) {
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", shop], { cwd: folder, stdio: "inherit" });
  }
}
if (process.argv.includes("--link")) {
  for (const name of ["friendpay-client", "friendpay-medusa"]) {
    rmSync(join(shop, "node_modules", name), { recursive: true, force: true });
    symlinkSync(join(modules, name), join(shop, "node_modules", name));
  }
}
