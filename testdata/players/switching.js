// How a page that plays with hls.js changes the rendition where no picture stands (docs/players.md, "When the rendition changes").
"use strict";

// A browser's decoder reads about 0.3 s ahead of the picture.
const READ_AHEAD = 0.5;

// switchLevel lets hls.js load another level as soon as the segment that it loads now, with whose IDR the other level begins, is ahead of what
// the decoder has read. What is buffered far ahead is thrown away by nextLevel, which then has time enough. It may be called again
// before that has happened: the last call counts.
function switchLevel(hls, level) {
  if (hls.switching) hls.off(Hls.Events.FRAG_BUFFERED, hls.switching);
  if (hls.mainForwardBufferInfo?.len > 6) {
    hls.nextLevel = level;
    return;
  }
  hls.switching = (_, { frag, part }) => {
    if (frag.type !== "main" || (part && frag.start - hls.media.currentTime < READ_AHEAD)) return;
    hls.off(Hls.Events.FRAG_BUFFERED, hls.switching);
    hls.loadLevel = level;
  };
  hls.on(Hls.Events.FRAG_BUFFERED, hls.switching);
}
