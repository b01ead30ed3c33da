// Plays the URL in the page's query with the player that is named there, reports where it is four times a second,
// and does what the answers say. The conductor is cmd/internal/players; it judges, this page only tells.
"use strict";

// The rows of the test card in which its bar lies, and the size at which testcard.Read gets it.
const CARD = { width: 320, rows: 36, from: 25, to: 33, rowHeight: 5 };

const query = new URLSearchParams(location.search);
const SAMPLE_MS = Number(query.get("sample")) || 250;
const video = document.getElementById("video");
const troubles = [];
const trouble = (text, fatal) => troubles.push({ text: String(text), fatal: Boolean(fatal) });

// Each player returns what it can do besides playing: force the lowest or highest rendition, go back to live, tell
// which UTC its picture has.
const players = {
  async hlsjs(url) {
    const hls = new Hls({ lowLatencyMode: true, ...JSON.parse(query.get("config") || "{}") });
    hls.on(Hls.Events.ERROR, (_, e) => {
      trouble(`${e.details} ${e.error?.message ?? e.reason ?? ""} ${e.response?.code ?? ""} ${e.frag?.url ?? e.url ?? ""}`, e.fatal);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return {
      lowest: () => switchLevel(hls, 0),
      highest: () => switchLevel(hls, hls.levels.length - 1),
      live: () => { video.currentTime = hls.liveSyncPosition; },
      date: () => hls.playingDate,
    };
  },

  async shaka(url) {
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener("error", (e) => trouble(shakaError(e.detail), e.detail.severity === shaka.util.Error.Severity.CRITICAL));
    player.configure({ abr: { enabled: false } }); // the conductor chooses
    await player.load(url);
    const choose = (end) => {
      player.selectVariantTrack(player.getVariantTracks().sort((a, b) => a.bandwidth - b.bandwidth).at(end));
    };
    return {
      lowest: () => choose(0),
      highest: () => choose(-1),
      live: () => player.goToLive(),
      date: () => player.getPlayheadTimeAsDate(),
    };
  },

  async native(url) {
    video.src = url;
    await new Promise((done) => video.addEventListener("playing", done, { once: true }));
    const behind = edge() - video.currentTime;
    return { live: () => { video.currentTime = edge() - behind; } };
  },

  async videojs(url) {
    const player = videojs(video, { liveui: true, autoplay: "muted" });
    player.on("error", () => trouble(`${player.error().code} ${player.error().message}`, true));
    player.src({ src: url, type: "application/vnd.apple.mpegurl" });
    const only = (end) => {
      const list = player.tech({ IWillNotUseThisInPlugins: true }).vhs.representations().sort((a, b) => a.bandwidth - b.bandwidth);
      for (const r of list) r.enabled(r === list.at(end));
    };
    return { lowest: () => only(0), highest: () => only(-1), live: () => player.liveTracker.seekToLiveEdge() };
  },
};

const shakaError = (e) => `shaka ${e.category}.${e.code} ${JSON.stringify(e.data?.filter((d) => ["string", "number"].includes(typeof d)))}`;

// edge is the end of what can be sought, which for a live stream moves.
function edge() {
  const range = video.seekable;
  return range.length ? range.end(range.length - 1) : 0;
}

// bar copies the luma of the picture's machine-readable bar, in base64.
const canvas = new OffscreenCanvas(CARD.width, (CARD.to - CARD.from) * CARD.rowHeight);
const pen = canvas.getContext("2d", { willReadFrequently: true });
function bar() {
  if (!video.videoHeight || video.readyState < 2) return "";
  const row = video.videoHeight / CARD.rows;
  pen.drawImage(video, 0, CARD.from * row, video.videoWidth, (CARD.to - CARD.from) * row, 0, 0, canvas.width, canvas.height);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  let luma = "";
  for (let i = 0; i < data.length; i += 4) luma += String.fromCharCode((data[i] + 2 * data[i + 1] + data[i + 2]) >> 2);
  return btoa(luma);
}

// sample says where the player is at this moment.
function sample(player) {
  const quality = video.getVideoPlaybackQuality?.() ?? {};
  const pixels = bar();
  return {
    at: Date.now(),
    position: video.currentTime,
    height: video.videoHeight,
    decoded: quality.totalVideoFrames ?? 0,
    dropped: quality.droppedVideoFrames ?? 0,
    date: player.date?.()?.getTime() ?? 0,
    bar: pixels,
  };
}

// obey does what the conductor says.
function obey(command, player) {
  if (command === "back") back(20);
  else player[command]();
}

function back(seconds) {
  const to = video.currentTime - seconds;
  const ranges = Array.from({ length: video.seekable.length }, (_, i) => [video.seekable.start(i), video.seekable.end(i)]);
  if (!ranges.some(([from, end]) => from <= to && to <= end)) trouble(`back: ${to} is outside ${JSON.stringify(ranges)}`, false);
  video.currentTime = to;
}

async function report(message) {
  message.troubles = troubles.splice(0);
  const response = await fetch("/report", { method: "POST", body: JSON.stringify(message) });
  return response.json();
}

async function trial() {
  let player = {};
  video.addEventListener("error", () => trouble(`media element: ${video.error?.code} ${video.error?.message}`, false));
  addEventListener("error", (e) => trouble(`page: ${e.message}`, true));
  addEventListener("unhandledrejection", (e) => trouble(`page: ${e.reason?.code ? shakaError(e.reason) : e.reason}`, true));
  await report({ loading: true });
  players[query.get("player")](query.get("url")).then((p) => { player = p; });
  video.play().catch(() => {}); // some players start by themselves, and end this play
  for (;;) {
    await new Promise((done) => setTimeout(done, SAMPLE_MS));
    for (const command of await report({ sample: sample(player) })) {
      try {
        obey(command, player);
      } catch (e) {
        trouble(`${command}: ${e.message}`, true);
      }
    }
  }
}
trial();
