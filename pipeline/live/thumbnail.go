package live

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"image/jpeg"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// MaxThumbnailBytes bounds a thumbnail; they have some 10 kB.
const MaxThumbnailBytes = 256 << 10

// maxThumbnailSide bounds a thumbnail's sides in pixels, and so the work to read one.
const maxThumbnailSide = 640

// thumbnailAhead is how far after now a thumbnail's segment may begin: a number beyond all others would end the album.
const thumbnailAhead = time.Minute

// album is the thumbnails of a feed, one per segment. They stay for as long as the segments, and until a whole sprite of
// them has gone: so a sprite never changes.
type album struct {
	pages atomic.Pointer[pictures]
	board atomic.Pointer[storyboard] // as it was rendered last
}

// pictures is one state of an album. It never changes, but for what of it is in memory.
type pictures struct {
	kept []*thumbnail // ascending
}

// thumbnail is one of them. All but where its bytes are is immutable.
type thumbnail struct {
	msn           int64
	width, height int
	crc           uint32
	filed

	data atomic.Pointer[[]byte] // nil when it is not in memory
}

// PutThumbnail adds the thumbnail of a segment. Its bytes become the feed's. One that is not newer than those that are there is
// taken without effect: so a worker may send again.
//
// It fails with ErrInvalid; a session of another epoch gets pipeline.ErrFenced (lower) or ErrNoSession (higher).
func (f *Feed) PutThumbnail(epoch uint64, t pipeline.Thumbnail) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.mayWrite(epoch); err != nil {
		return fmt.Errorf("putting a thumbnail of feed %s: %w", f.id, err)
	}
	v := f.view.Load()
	page, err := newThumbnail(t)
	if err == nil && v.feed.Grid.SegmentTime(t.MSN).Time().After(f.opts.Now().Add(thumbnailAhead)) {
		err = errors.New("its segment is in the future")
	}
	if err != nil {
		return fmt.Errorf("putting thumbnail %d of feed %s: %w: %w", t.MSN, f.id, ErrInvalid, err)
	}
	before := v.album.load().kept
	if len(before) > 0 && t.MSN <= before[len(before)-1].msn {
		return nil
	}
	f.archive.put(f, page.storeName(v.albumPath(f.id)), [][]byte{t.Data}, &page.filed)
	f.archive.push(f.arrange(v, append(before, page)))
	return nil
}

func byNumber(t *thumbnail, msn int64) int { return cmp.Compare(t.msn, msn) }

func newThumbnail(t pipeline.Thumbnail) (*thumbnail, error) {
	if t.MSN < 0 || t.MSN > maxMSN || len(t.Data) > MaxThumbnailBytes {
		return nil, fmt.Errorf("%d bytes, or number out of range", len(t.Data))
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(t.Data))
	if err != nil {
		return nil, fmt.Errorf("reading the JPEG: %w", err)
	}
	if c.Width < 2 || c.Height < 2 || c.Width > maxThumbnailSide || c.Height > maxThumbnailSide {
		return nil, fmt.Errorf("%d×%d pixels: want up to %d", c.Width, c.Height, maxThumbnailSide)
	}
	page := &thumbnail{msn: t.MSN, width: c.Width, height: c.Height, crc: crc32.ChecksumIEEE(t.Data)}
	page.size = int64(len(t.Data))
	page.data.Store(&t.Data)
	return page, nil
}

// load returns the newest state of the album.
func (a *album) load() *pictures {
	if p := a.pages.Load(); p != nil {
		return p
	}
	return &pictures{}
}

// arrange shows these thumbnails, less those that are old, and returns what of them is to be removed. Those that leave memory
// are read from the store.
func (f *Feed) arrange(v *view, kept []*thumbnail) (old job) { // f.mu is held
	n := f.outdated(v, kept)
	old = f.discard(v, kept[:n])
	kept = kept[n:]
	if i := len(kept) - int(v.live) - 1; i >= 0 && f.opts.Store != nil {
		kept[i].data.Store(nil)
	}
	v.album.pages.Store(&pictures{kept: kept})
	return old
}

// outdated returns how many of the thumbnails are of sprites that no playlist reaches back to.
func (f *Feed) outdated(v *view, kept []*thumbnail) int { // f.mu is held
	if len(kept) == 0 {
		return 0
	}
	first := v.spriteStart(max(f.firstListed(v), kept[len(kept)-1].msn-v.listed.Load()))
	n, _ := slices.BinarySearchFunc(kept, first, byNumber)
	return n
}

// discard gives thumbnails up, and returns what is to be removed of them.
func (f *Feed) discard(v *view, thumbnails []*thumbnail) job {
	j := job{feed: f}
	for _, t := range thumbnails {
		t.data.Store(nil)
		j.discard(t.storeName(v.albumPath(f.id)), &t.filed)
	}
	return j
}

// firstListed returns the first segment that any rendition lists.
func (f *Feed) firstListed(v *view) int64 { // f.mu is held
	first := int64(maxMSN)
	for _, r := range v.renditions {
		if r.started {
			first = min(first, r.first)
		}
	}
	if first == maxMSN {
		return 0
	}
	return first
}

// albumPath is the place of a feed's thumbnails in the store. No rendition's name has a dot.
func (v *view) albumPath(feed string) string { return feed + "/" + v.key + "/thumbnails.jpeg/" }

// storeName returns the name of a thumbnail in the store: <msn>-<width>x<height>-<crc>.jpg
func (t *thumbnail) storeName(path string) string {
	return path + fmt.Sprintf("%d-%dx%d-%08x.jpg", t.msn, t.width, t.height, t.crc)
}

// parseThumbnailName reads the name of a thumbnail, without its path.
func parseThumbnailName(name string) (*thumbnail, bool) {
	fields := strings.Split(strings.TrimSuffix(name, ".jpg"), "-")
	if len(fields) != 3 {
		return nil, false
	}
	width, height, _ := strings.Cut(fields[1], "x")
	var t thumbnail
	var errs [4]error
	t.msn, errs[0] = strconv.ParseInt(fields[0], 10, 64)
	t.width, errs[1] = strconv.Atoi(width)
	t.height, errs[2] = strconv.Atoi(height)
	crc, err := strconv.ParseUint(fields[2], 16, 32)
	t.crc, errs[3] = uint32(crc), err
	sane := errors.Join(errs[:]...) == nil && t.msn >= 0 && t.msn <= maxMSN &&
		t.width > 1 && t.height > 1 && t.width <= maxThumbnailSide && t.height <= maxThumbnailSide
	// What does not read back as it was written is not ours.
	return &t, sane && t.storeName("") == name
}

// restoreThumbnails brings back the thumbnails among stored names, and returns the other names.
func (f *Feed) restoreThumbnails(v *view, objects []Object) (others []Object) { // f.mu is held
	var kept []*thumbnail
	for _, o := range objects {
		name, ours := strings.CutPrefix(o.Name, v.albumPath(f.id))
		t, ok := parseThumbnailName(name)
		if !ours || !ok || o.Size == 0 || o.Size > MaxThumbnailBytes {
			others = append(others, o)
			continue
		}
		t.size = o.Size
		kept = append(kept, t)
	}
	slices.SortFunc(kept, func(a, b *thumbnail) int { return byNumber(a, b.msn) })
	kept = slices.CompactFunc(kept, func(a, b *thumbnail) bool { return a.msn == b.msn })
	for _, t := range kept {
		f.archive.found(&t.filed)
	}
	v.album.pages.Store(&pictures{kept: kept})
	return others
}

// Thumbnail returns the JPEG of a segment, or the newest there is when msn is negative, and its number. Close must be called once.
// It fails with ErrGone when there is none, and with ErrAhead when it may come.
func (f *Feed) Thumbnail(msn int64) (Media, int64, error) {
	v := f.view.Load()
	kept := v.album.load().kept
	if len(kept) == 0 || msn > kept[len(kept)-1].msn {
		return Media{}, 0, ErrAhead
	}
	i := len(kept) - 1
	if msn >= 0 {
		var found bool
		if i, found = slices.BinarySearchFunc(kept, msn, byNumber); !found {
			return Media{}, 0, ErrGone
		}
	}
	media, err := f.openThumbnail(v, kept[i])
	return media, kept[i].msn, err
}

func (f *Feed) openThumbnail(v *view, t *thumbnail) (Media, error) {
	tag := fmt.Sprintf("%d-%08x", t.msn, t.crc)
	if data := t.data.Load(); data != nil {
		return held(*data, tag), nil
	}
	if f.opts.Store == nil {
		return Media{}, ErrGone
	}
	file, err := f.opts.Store.Open(t.storeName(v.albumPath(f.id)))
	if err != nil {
		return Media{}, fmt.Errorf("opening thumbnail %d of feed %s: %w", t.msn, f.id, goneIfMissing(err))
	}
	return Media{ReadSeekCloser: file, Tag: tag}, nil
}
