// Plays an HLS URL with hls.js in headless Chromium and reports what a viewer would have seen, as JSON.
//
//   node play.mjs URL SECONDS MODULES [HEIGHTS]
//
// MODULES is the folder that install.sh printed. SECONDS count from the first picture. HEIGHTS, such as 720,360,480, are shown one
// after the other, each for its share of the time; without them hls.js chooses. Exit status 1 means that
// playback did not start within 20 s, did not advance, stalled or met an error.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const START_LIMIT_MS = 20_000;
const SAMPLE_MS = 250;

const [url, seconds, modules, heights] = process.argv.slice(2);
const levels = heights ? heights.split(",").map(Number) : [];
if (!modules || !(Number(seconds) > 0)) {
  console.error("usage: node play.mjs URL SECONDS MODULES");
  process.exit(2);
}
const { chromium } = createRequire(join(modules, "/"))("playwright-core");

// serve gives the page and hls.js over loopback: a file: page may not fetch.
async function serve() {
  const files = {
    "/": [new URL("player.html", import.meta.url), "text/html; charset=utf-8"],
    "/hls.js": [join(modules, "node_modules/hls.js/dist/hls.min.js"), "text/javascript"],
  };
  const server = createServer(async (request, response) => {
    const [path, type] = files[request.url] ?? [];
    if (!path) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": type }).end(await readFile(path));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// watch samples the player until it has played for the time that was asked.
async function watch(page) {
  const samples = [];
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await page.evaluate(() => window.report.started !== null))) {
    const failed = await page.evaluate(() => window.report.errors.some((e) => e.fatal));
    if (failed || Date.now() > deadline) return samples;
    await sleep(SAMPLE_MS);
  }
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    samples.push({ at: Date.now(), ...(await page.evaluate(() => window.sample())) });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

const quantile = (sorted, q) => (sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] : null);

// longestFreeze returns the longest time, in seconds, in which currentTime did not move.
function longestFreeze(samples) {
  let longest = 0;
  let moved = samples[0];
  for (const s of samples) {
    if (s.time > moved.time) moved = s;
    longest = Math.max(longest, (s.at - moved.at) / 1000);
  }
  return longest;
}

function summarise(report, samples) {
  const latencies = samples.map((s) => s.latency).filter((l) => l !== null).sort((a, b) => a - b);
  const first = samples.at(0);
  const last = samples.at(-1);
  return {
    ...report,
    advanced: first ? last.time - first.time : 0,
    watched: first ? (last.at - first.at) / 1000 : 0,
    longestFreeze: longestFreeze(samples),
    latencyMedian: quantile(latencies, 0.5),
    latencyP95: quantile(latencies, 0.95),
    height: last?.height ?? 0,
    decoded: last?.decoded ?? 0,
    dropped: last?.dropped ?? 0,
  };
}

// failure says why the run does not count as played, or nothing.
function failure(result) {
  if (result.errors.length) return `hls.js: ${result.errors[0].details} ${result.errors[0].text}`;
  if (result.startSeconds === null) return `no picture within ${START_LIMIT_MS / 1000} s`;
  if (result.advanced < 0.9 * result.watched) return `currentTime advanced ${result.advanced} s in ${result.watched} s`;
}

const server = await serve();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
  ],
});
let result;
try {
  const page = await browser.newPage();
  const pageErrors = [];
  page.on("pageerror", (e) => pageErrors.push({ details: "page", fatal: true, text: e.message }));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(([u, l, s]) => play(u, l, s), [url, levels, seconds / Math.max(levels.length, 1)]);
  const samples = await watch(page);
  const report = await page.evaluate(() => window.report);
  report.errors.push(...pageErrors);
  result = summarise(report, samples);
} finally {
  await browser.close();
  server.close();
}
result.failure = failure(result) ?? "";
console.log(JSON.stringify(result));
process.exit(result.failure ? 1 : 0);
