// Fetches URLs with headless Chromium, and prints as JSON how each was coded and what it says.
//
//   node fetch.mjs MODULES URL...
//
// A certificate that nobody has signed is taken. The first URL must allow the page of its own origin to fetch the others.
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, ...urls] = process.argv.slice(2);
if (!modules || !urls.length) {
  console.error("usage: node fetch.mjs MODULES URL...");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
});
try {
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const codings = {};
  page.on("response", (r) => { codings[r.url()] = r.headers()["content-encoding"] ?? ""; });
  await page.goto(new URL("/healthz", urls[0]).href);
  const texts = await page.evaluate((all) => Promise.all(all.map(async (url) => (await fetch(url)).text())), urls);
  console.log(JSON.stringify(urls.map((url, i) => ({ url, coding: codings[url], text: texts[i] }))));
} finally {
  await browser.close();
}
