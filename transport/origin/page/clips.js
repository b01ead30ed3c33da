const section = document.getElementById('clips');
const list = section.querySelector('ul');
const feed = decodeURIComponent(location.pathname.split('/').pop());

function describe(clip) {
  const from = new Date(clip.from).toISOString().replace('T', ' ').slice(0, 19);
  const seconds = (new Date(clip.to) - new Date(clip.from)) / 1000;
  return `${from}, ${seconds.toFixed(1)} s`;
}

function item(clip) {
  const li = document.createElement('li');
  if (clip.url) {
    const link = document.createElement('a');
    link.href = clip.url;
    link.textContent = describe(clip);
    li.append(link, ` ${(clip.bytes / 1e6).toFixed(1)} MB`);
    return li;
  }
  const progress = clip.state === 'cutting' ? ` ${Math.round(clip.progress * 100)} %` : '';
  li.textContent = `${describe(clip)}: ${clip.state}${progress}`;
  li.classList.toggle('bad', clip.state === 'failed');
  return li;
}

async function refresh() {
  try {
    const response = await fetch('/api/v1/clips', { cache: 'no-store' });
    if (response.status === 404) return; // this origin cuts none
    const clips = (await response.json()).clips.filter((clip) => clip.feed === feed);
    section.hidden = clips.length === 0;
    // Rebuilding the list would take the focus away from a keyboard user.
    if (!list.contains(document.activeElement)) list.replaceChildren(...clips.map(item));
  } catch {
    // What is shown stays; the next time may be better.
  }
  setTimeout(refresh, 5000);
}

refresh();
