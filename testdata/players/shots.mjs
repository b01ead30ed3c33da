// Takes pictures of the pages of an origin that plays, as a user sees them: light, dark, wide and on a telephone.
//
//   node shots.mjs ORIGIN FEED MODULES FOLDER      such as http://127.0.0.1:8080 camera-1 "$(./install.sh)" /tmp/shots
//
// Exit status 1 means that the feed did not play within 20 s, or that a page reported an error.
import { createRequire } from "node:module";
import { join } from "node:path";

const START_LIMIT_MS = 20_000;
const PLAY_MS = 4_000;

const [origin, feed, modules, folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node shots.mjs ORIGIN FEED MODULES FOLDER");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");

const WIDE = { width: 1280, height: 960 };
const TELEPHONE = { width: 390, height: 844 };
const shots = [
  { name: "feeds-light", path: "/", viewport: WIDE, colorScheme: "light" },
  { name: "watch-light", path: `/watch/${feed}`, viewport: WIDE, colorScheme: "light", plays: true },
  { name: "watch-dark", path: `/watch/${feed}`, viewport: WIDE, colorScheme: "dark", plays: true, seeks: true },
  { name: "watch-telephone", path: `/watch/${feed}`, viewport: TELEPHONE, colorScheme: "dark", plays: true },
  { name: "watch-unknown", path: "/watch/there-is-no-such-feed", viewport: WIDE, colorScheme: "light", fails: true },
];

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function take(browser, shot) {
  const page = await browser.newPage({ viewport: shot.viewport, colorScheme: shot.colorScheme });
  const errors = [];
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => { if (m.type() === "error" && !shot.fails) errors.push(m.text()); });
  await page.goto(origin + shot.path);
  if (shot.plays) await page.waitForFunction(() => document.querySelector("video").currentTime > 1, null, { timeout: START_LIMIT_MS });
  await sleep(PLAY_MS);
  if (shot.seeks) await point(page);
  await page.screenshot({ path: join(folder, `${shot.name}.png`) });
  await page.close();
  return errors.map((e) => `${shot.name}: ${e}`);
}

// point moves the pointer over the seek bar, twice: the first time the storyboard is fetched.
async function point(page) {
  const bar = await page.locator("#seek").boundingBox();
  for (const share of [0.4, 0.5]) {
    await page.mouse.move(bar.x + bar.width * share, bar.y + bar.height / 2);
    await sleep(1000);
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required", "--mute-audio"],
});
const errors = [];
try {
  for (const shot of shots) errors.push(...(await take(browser, shot)));
} finally {
  await browser.close();
}
for (const e of errors) console.error(e);
process.exit(errors.length ? 1 : 0);
