// Shows the thumbnail of the place that is pointed at on the seek bar.
const seek = document.getElementById('seek');
const preview = document.getElementById('preview');
const base = `/dvr/${location.pathname.split('/').pop()}/`;
const cue = /([\d:.]+) --> ([\d:.]+)\n(.+)#xywh=(\d+),(\d+),(\d+),(\d+)/g;
let cues = [];
let asked = 0;

const milliseconds = (text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part) * 1000, 0);

async function load() {
  if (Date.now() - asked < 10000) return;
  asked = Date.now();
  const answer = await fetch(`${base}storyboard.vtt`);
  if (!answer.ok) return;
  const text = await answer.text();
  const zero = Date.parse(text.match(/Time 0 is (\S+)/)?.[1]);
  cues = [...text.matchAll(cue)].map(([, from, to, file, ...place]) => ({
    from: zero + milliseconds(from), to: zero + milliseconds(to), file, place: place.map(Number),
  }));
}

function show(event) {
  load().catch(() => { cues = []; });
  const bar = seek.getBoundingClientRect();
  const share = Math.min(1, Math.max(0, (event.clientX - bar.left) / bar.width));
  const at = Number(seek.dataset.date) + share * (seek.max - seek.min) * 1000;
  const found = cues.find(({ from, to }) => from <= at && at < to);
  preview.hidden = !found || seek.disabled;
  if (preview.hidden) return;
  const [x, y, width, height] = found.place;
  Object.assign(preview.style, {
    width: `${width}px`, height: `${height}px`, left: `${Math.max(0, share * bar.width - width / 2)}px`,
    backgroundImage: `url("${base}${found.file}")`, backgroundPosition: `-${x}px -${y}px`,
  });
}

if (!location.search) seek.addEventListener('pointermove', show);
seek.addEventListener('pointerleave', () => { preview.hidden = true; });
