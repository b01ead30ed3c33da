// Lets a player change its rendition again and again, and says how long the picture stood each time.
//
//   node switches.mjs URL MODULES PLAYER WAY [COUNT]
//
// PLAYER and WAY: hlsjs with nextLevel, loadLevel, currentLevel, nextAutoLevel, autoLevelCapping (its ABR changes) or
// switchLevel (of switching.js); shaka with clear, keep or clear:1 (1 s is kept safe). CONFIG is the player's configuration, in JSON.
// LOG=1 prints what was asked for and what the decoder was given. Exit status 1 means that an error was met.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const JOIN_MS = 9_000;
// Steps are no multiple of a segment, so that they fall anywhere in one.
const stepLength = (i) => 5_000 + ((i * 370) % 1_920);

const [url, modules, player, way, count = 16] = process.argv.slice(2);
const scripts = { hlsjs: "hls.js/dist/hls.min.js", shaka: "shaka-player/dist/shaka-player.compiled.js" };
if (!way || !scripts[player]) {
  console.error("usage: node switches.mjs URL MODULES hlsjs|shaka WAY [COUNT]");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const server = createServer(async (request, response) => {
  const files = { "/player.js": join(modules, "node_modules", scripts[player]), "/switching.js": new URL("switching.js", import.meta.url) };
  response.end(await readFile(files[request.url] ?? new URL("switches.html", import.meta.url)));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
});
let events = [];
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(([p, w, u, c]) => begin(p, w, u, c), [player, way, url, JSON.parse(process.env.CONFIG ?? "null") ?? {}]);
  await sleep(JOIN_MS);
  const stood = [];
  for (let i = 0; i < Number(count); i++) {
    const began = await page.evaluate((up) => step(up), i % 2 === 1);
    await sleep(stepLength(i));
    const result = await page.evaluate((at) => since(at), began);
    console.log(`${i % 2 ? "up" : "down"}: the picture stood ${result.stood} ms, the other showed after ${result.took ?? "–"} ms`);
    stood.push(result.stood);
  }
  stood.sort((a, b) => a - b);
  console.log(`${player} ${way}: median ${stood[stood.length >> 1]} ms, most ${stood.at(-1)} ms, 400 ms or more ${stood.filter((s) => s >= 400).length} of ${stood.length}`);
  events = await page.evaluate(() => events);
} finally {
  await browser.close();
  server.close();
}
const errors = events.filter((e) => /ERROR|error/.test(e));
for (const e of process.env.LOG ? events : errors) console.error(e);
process.exit(errors.length ? 1 : 0);
