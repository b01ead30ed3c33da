const $ = (id) => document.getElementById(id);
const feed = decodeURIComponent(location.pathname.split('/').pop());
const video = $('video');
const quality = $('quality');
let hls = null;
let stalls = 0;

document.title = `${feed} – venuecast`;
$('heading').textContent = feed;

function say(text) { $('state').textContent = text; }

function figure(id, text) { $(id).textContent = text; }

function describe(level) {
  const rate = `${(level.bitrate / 1e6).toFixed(1)} Mbit/s`;
  return level.height ? `${level.height} lines, ${rate}` : rate;
}

function listQualities(levels) {
  const options = levels.map((level, i) => new Option(describe(level), i));
  quality.replaceChildren(new Option('Automatic', -1), ...options);
}

function start() {
  hls?.destroy();
  const low = $('low').checked;
  const address = `/live/${encodeURIComponent(feed)}/index.m3u8${low ? '' : '?ll=0'}`;
  if (!window.Hls?.isSupported()) {
    video.src = address;
    return;
  }
  hls = new Hls({ lowLatencyMode: low, maxLiveSyncPlaybackRate: low ? 1.5 : 1, backBufferLength: 30 });
  hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => {
    listQualities(data.levels);
    say('');
    video.play().catch(() => say('Press play to begin.'));
  });
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return;
    say('The feed is not available. Trying again…');
    hls.destroy();
    setTimeout(start, 2000);
  });
  hls.loadSource(address);
  hls.attachMedia(video);
}

function update() {
  const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
  const ahead = Math.max(0, end - video.currentTime);
  figure('buffer', `${ahead.toFixed(1)} s`);
  figure('dropped', String(video.getVideoPlaybackQuality?.().droppedVideoFrames ?? '–'));
  figure('stalls', String(stalls));
  const shown = hls?.playingDate ?? null;
  figure('clock', shown ? shown.toISOString().slice(11, 22) : '–');
  figure('latency', shown && !video.paused ? `${((Date.now() - shown) / 1000).toFixed(1)} s` : '–');
  const level = hls?.levels?.[hls.currentLevel];
  figure('rendition', level ? describe(level) : '–');
}

video.addEventListener('waiting', () => { if (video.currentTime > 0) stalls += 1; });
video.addEventListener('playing', () => say(''));
quality.addEventListener('change', () => { if (hls) hls.currentLevel = Number(quality.value); });
$('low').addEventListener('change', start);
window.addEventListener('load', start);
setInterval(update, 250);
