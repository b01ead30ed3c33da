const list = document.getElementById('feeds');
const state = document.getElementById('state');

function line(text, bad) {
  const p = document.createElement('p');
  p.textContent = text;
  p.classList.toggle('bad', Boolean(bad));
  return p;
}

function item(feed) {
  const link = document.createElement('a');
  link.href = `/watch/${encodeURIComponent(feed.id)}`;
  link.textContent = feed.id;
  const li = document.createElement('li');
  const names = feed.renditions.map((r) => r.name).join(', ');
  li.append(link, line(feed.live ? `live, ${feed.latency_seconds.toFixed(1)} s behind` : 'stopped', !feed.live), line(names));
  return li;
}

async function refresh() {
  try {
    const response = await fetch('/api/v1/feeds', { cache: 'no-store' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { feeds } = await response.json();
    // Rebuilding the list would take the focus away from a keyboard user.
    if (!list.contains(document.activeElement)) list.replaceChildren(...feeds.map(item));
    state.textContent = feeds.length ? '' : 'No feed has been claimed yet.';
  } catch (error) {
    state.textContent = `The feeds can not be loaded: ${error.message}`;
  }
  setTimeout(refresh, 2000);
}

refresh();
