const $ = (id) => document.getElementById(id);
const feed = decodeURIComponent(location.pathname.split('/').pop());
const past = new URLSearchParams(location.search); // ?from=T&to=T plays a piece of the past
const recorded = past.has('from') && past.has('to');
const video = $('video');
const quality = $('quality');
const seek = $('seek');
let hls = null;
let stalls = 0;
let dragged = false;
const standing = { time: 0, since: 0, said: false };

if (!recorded) video.poster = `/live/${encodeURIComponent(feed)}/thumbnail.jpg`;
document.title = `${feed} – venuecast`;
$('heading').textContent = feed;

function say(text) { $('state').textContent = text; }

function figure(id, text) { $(id).textContent = text; }

function describe(level) {
  const rate = `${(level.bitrate / 1e6).toFixed(1)} Mbit/s`;
  return level.height ? `${level.height}p, ${rate}` : rate;
}

function listQualities(levels) {
  const options = levels.map((level, i) => new Option(describe(level), i));
  quality.replaceChildren(new Option('Automatic', -1), ...options);
}

function address(low) {
  const name = encodeURIComponent(feed);
  if (recorded) return `/vod/${name}/index.m3u8?from=${encodeURIComponent(past.get('from'))}&to=${encodeURIComponent(past.get('to'))}`;
  return `/dvr/${name}/index.m3u8${low ? '' : '?ll=0'}`;
}

// explain says why there is nothing to play, in the origin's words.
async function explain(url) {
  let why = 'The server does not answer.';
  try {
    const answer = await fetch(url, { cache: 'no-store' });
    const text = (await answer.text()).trim();
    why = answer.ok ? 'The player met an error.' : `${text.charAt(0).toUpperCase()}${text.slice(1, 100)}.`;
    if (answer.status === 404 && !recorded) why = `There is no feed “${feed}” here.`;
  } catch {
    // Nothing came back.
  }
  say(`${why} Trying again…`);
}

function start() {
  hls?.destroy();
  const low = $('low').checked;
  if (!window.Hls?.isSupported()) {
    video.src = address(low);
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
    explain(address(low));
    hls.destroy();
    setTimeout(start, 2000);
  });
  hls.loadSource(address(low));
  hls.attachMedia(video);
}

// span returns what can be played, in the video's time.
function span() {
  const { seekable } = video;
  return seekable.length ? [seekable.start(0), seekable.end(seekable.length - 1)] : [0, 0];
}

function edge() { return hls?.liveSyncPosition ?? span()[1]; }

function clock(time) {
  const shown = hls?.playingDate;
  return shown ? new Date(shown.getTime() + (time - video.currentTime) * 1000).toISOString().slice(11, 19) : '–';
}

function updateSeek() {
  const [first, last] = span();
  seek.disabled = last <= first;
  $('live').disabled = seek.disabled || recorded;
  seek.min = first;
  seek.max = last;
  if (!dragged) seek.value = video.currentTime;
  const shown = hls?.playingDate;
  if (shown) seek.dataset.date = shown.getTime() + (first - video.currentTime) * 1000;
  const time = Number(seek.value);
  $('position').textContent = clock(time);
  seek.setAttribute('aria-valuetext', `${Math.round(last - time)} s before the end, ${clock(time)}`);
  // A seek lands on a keyframe or so; within that it is live.
  $('live').classList.toggle('on', !recorded && !video.paused && edge() - video.currentTime < 4);
}

function goTo(time) {
  video.currentTime = time;
  video.play().catch(() => say('Press play to go on.'));
}

// changeQuality changes the rendition where no picture stands. The other begins with the keyframe of the segment that is loaded now, which must
// be ahead of what the decoder has read. What is buffered far ahead is thrown away by nextLevel, which then has time enough.
function changeQuality(level) {
  if (hls.changing) hls.off(Hls.Events.FRAG_BUFFERED, hls.changing);
  if (level < 0 || hls.mainForwardBufferInfo?.len > 6) {
    hls.nextLevel = level;
    return;
  }
  hls.changing = (_, { frag, part }) => {
    if (frag.type !== 'main' || (part && frag.start - video.currentTime < 0.5)) return;
    hls.off(Hls.Events.FRAG_BUFFERED, hls.changing);
    hls.loadLevel = level;
  };
  hls.on(Hls.Events.FRAG_BUFFERED, hls.changing);
}

// watchPicture tells a viewer whose picture stands that it is known.
function watchPicture() {
  const now = performance.now();
  if (video.paused || video.currentTime !== standing.time) Object.assign(standing, { time: video.currentTime, since: now });
  const stands = video.currentTime > 0 && now - standing.since > 1000;
  if (stands === standing.said) return;
  standing.said = stands;
  say(stands ? 'Waiting for the next picture…' : '');
}

function update() {
  updateSeek();
  watchPicture();
  const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
  const ahead = Math.max(0, end - video.currentTime);
  figure('buffer', `${ahead.toFixed(1)} s`);
  figure('dropped', String(video.getVideoPlaybackQuality?.().droppedVideoFrames ?? '–'));
  figure('stalls', String(stalls));
  const shown = hls?.playingDate ?? null;
  figure('clock', shown ? shown.toISOString().slice(11, 22) : '–');
  figure('latency', shown && !video.paused && !recorded ? `${((Date.now() - shown) / 1000).toFixed(1)} s` : '–');
  const level = hls?.levels?.[hls.currentLevel];
  figure('rendition', level ? describe(level) : '–');
}

video.addEventListener('waiting', () => { if (video.currentTime > 0 && !video.seeking) stalls += 1; });
video.addEventListener('playing', () => say(''));
quality.addEventListener('change', () => { if (hls) changeQuality(Number(quality.value)); });
seek.addEventListener('input', () => { dragged = true; });
seek.addEventListener('change', () => {
  dragged = false;
  goTo(Number(seek.value));
});
// Arrow keys go 5 s; by themselves they would go the 0.1 s that the pointer can.
seek.addEventListener('keydown', (event) => {
  const by = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 }[event.key];
  if (!by || seek.disabled) return;
  event.preventDefault();
  const [first] = span();
  goTo(Math.min(Math.max(video.currentTime + by, first), edge()));
});
$('live').addEventListener('click', () => goTo(edge()));
$('low').addEventListener('change', start);
window.addEventListener('load', start);
setInterval(update, 250);
