const list = document.getElementById('feeds');
const state = document.getElementById('state');
const cards = new Map(); // by feed; they are kept, so that a keyboard user keeps the focus

function make(tag, className) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  return element;
}

function newCard(id) {
  const link = make('a');
  link.href = `/watch/${encodeURIComponent(id)}`;
  const picture = make('img');
  picture.alt = ''; // the link says what it is
  picture.addEventListener('error', () => { picture.style.visibility = 'hidden'; });
  picture.addEventListener('load', () => { picture.style.visibility = ''; });
  link.append(picture, id);
  const card = make('li');
  card.append(link, make('p', 'status'), make('p'));
  return card;
}

function update(card, feed) {
  const status = card.querySelector('.status');
  status.textContent = feed.live ? `live, newest part ${feed.latency_seconds.toFixed(1)} s old` : 'stopped: no new pictures';
  status.classList.toggle('bad', !feed.live);
  card.lastChild.textContent = feed.renditions.map((r) => r.name).join(', ');
  // A new thumbnail every ten seconds.
  const picture = `/live/${encodeURIComponent(feed.id)}/thumbnail.jpg?${Math.floor(Date.now() / 10000)}`;
  if (card.querySelector('img').getAttribute('src') !== picture) card.querySelector('img').src = picture;
}

function show(feeds) {
  for (const feed of feeds) {
    if (!cards.has(feed.id)) cards.set(feed.id, newCard(feed.id));
    update(cards.get(feed.id), feed);
  }
  const shown = feeds.map((feed) => cards.get(feed.id));
  if (shown.length !== list.children.length || shown.some((card, i) => card !== list.children[i])) list.replaceChildren(...shown);
  state.textContent = feeds.length ? '' : 'There is no feed yet.';
}

async function refresh() {
  try {
    const response = await fetch('/api/v1/feeds', { cache: 'no-store' });
    if (!response.ok) throw new Error(`status ${response.status}`);
    show((await response.json()).feeds);
  } catch (error) {
    state.textContent = `The feeds cannot be loaded: ${error.message}. Trying again…`;
  }
  setTimeout(refresh, 2000);
}

refresh();
