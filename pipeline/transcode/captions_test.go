package transcode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// spokenPicture carries captions; each reference has its own.
type spokenPicture struct {
	*fakePicture
	triplets []byte
}

func (p *spokenPicture) Retain() codecs.Picture {
	return &spokenPicture{p.fakePicture.Retain().(*fakePicture), p.triplets}
}
func (p *spokenPicture) Captions() []byte            { return p.triplets }
func (p *spokenPicture) SetCaptions(triplets []byte) { p.triplets = append([]byte(nil), triplets...) }

// letter returns a triplet with a character, and null padding.
func letter(c byte) []byte { return []byte{0xfc, c, 0x80} }

var null = []byte{0xfc, 0x80, 0x80, 0xf8, 0, 0, 0xfa, 0, 0}

// readThrough shows frames with the captions of say, twice where twice says so, and returns what a rendition's pictures carry.
func readThrough(t *testing.T, step int64, frames int, say func(k int) []byte, twice func(k int) bool) (heard []byte, most int) {
	t.Helper()
	e := &fakeEngine{}
	w := &Worker{grid: testFeed.Grid}
	w.thumbnails = newThumbnails(w, nil)
	w.SetPlan(nil)
	r := &rendition{w: w, video: testFeed.Ladder.Video[0], first: -1, queue: pipeline.NewQueue[framed](1000, 0, nil)}
	r.video.Divisor = step
	w.renditions = []*rendition{r}
	s := &source{w: w, scalers: []Scaler{&fakeScaler{e}}, from: []int{-1}, rates: []Rate{RateFull}, spoken: make([]subtitles, 1)}
	frame := int64(48000)
	for k := range frames {
		p := newShot(&spokenPicture{e.picture(fmt.Sprint(k)), say(k)}, 1)
		for range 2 {
			require.NoError(t, s.show(t.Context(), frame, p))
			frame++
			if !twice(k) {
				break
			}
		}
		p.release()
	}
	for r.queue.Len() > 0 {
		f, err := r.queue.Pop(t.Context())
		require.NoError(t, err)
		own := f.picture.(*spokenPicture).triplets
		most = max(most, len(own)/3)
		for ; len(own) >= 3; own = own[3:] {
			if own[0]&4 != 0 && own[1] != 0x80 {
				heard = append(heard, own[1])
			}
		}
		f.picture.Release()
	}
	require.Zero(t, e.live)
	return heard, most
}

func never(int) bool { return false }

func text(n int) (all []byte) {
	for k := range n {
		all = append(all, byte('0'+k%64))
	}
	return all
}

func TestEachLetterIsHeardOnceWhateverPicturesAreShown(t *testing.T) {
	say := func(k int) []byte { return append(letter(byte('0'+k%64)), null...) }
	for name, c := range map[string]struct {
		step  int64
		twice func(int) bool
	}{
		"every picture": {1, never}, "every second": {2, never}, "every fourth": {4, never},
		"some shown again": {1, func(k int) bool { return k%5 == 0 }}, "both": {2, func(k int) bool { return k%3 == 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			heard, _ := readThrough(t, c.step, 49, say, c.twice)
			want := text(49)
			require.Equal(t, string(want[:len(heard)]), string(heard))
			require.GreaterOrEqual(t, len(heard), 49-int(c.step), "only what waits for the next picture may be missing")
		})
	}
}

func TestAPictureCarriesNoMoreThanItCan(t *testing.T) {
	heard, most := readThrough(t, 4, 200, func(k int) []byte {
		if k >= 40 {
			return nil
		}
		var many []byte
		for i := range 10 {
			many = append(many, letter(byte('0'+(10*k+i)%64))...)
		}
		return many
	}, never)
	require.Equal(t, string(text(400)), string(heard), "what does not fit comes with the next")
	require.Equal(t, maxTriplets, most)
}

func TestWithoutCaptionsNothingIsTouched(t *testing.T) {
	heard, most := readThrough(t, 2, 20, func(int) []byte { return nil }, func(k int) bool { return k%2 == 0 })
	require.Empty(t, heard)
	require.Zero(t, most)
}

func TestALatePictureIsHeardWithTheNext(t *testing.T) {
	e := &fakeEngine{}
	w := &Worker{grid: testFeed.Grid}
	w.thumbnails = newThumbnails(w, nil)
	w.SetPlan(nil)
	r := &rendition{w: w, video: testFeed.Ladder.Video[0], first: -1, queue: pipeline.NewQueue[framed](10, 0, nil)}
	w.renditions = []*rendition{r}
	s := &source{w: w, scalers: []Scaler{&fakeScaler{e}}, from: []int{-1}, rates: []Rate{RateFull}, spoken: make([]subtitles, 1)}
	s.conform = &conform{
		next: -1, count: func(string, int64) {}, late: s.rescue, slate: func() (*shot, error) { return newShot(nil, 1), nil },
		show: func(frame int64, p *shot) error { return s.show(t.Context(), frame, p) },
	}
	for i, frame := range []int64{48000, 48001, 48000, 48002} {
		p := newShot(&spokenPicture{e.picture(""), letter(byte('a' + i))}, 1)
		require.NoError(t, s.conform.picture(frame, p))
	}
	s.conform.close()
	for _, want := range []string{"a", "b", "cd"} {
		f, err := r.queue.Pop(t.Context())
		require.NoError(t, err)
		heard := ""
		for own := f.picture.(*spokenPicture).triplets; len(own) >= 3; own = own[3:] {
			heard += string(own[1])
		}
		require.Equal(t, want, heard)
		f.picture.Release()
	}
	require.Zero(t, e.live)
}

func TestCaptionsThatNobodyMissesAreForgotten(t *testing.T) {
	w := &Worker{grid: testFeed.Grid}
	w.renditions = []*rendition{{w: w, first: 100}, {w: w, first: -1}, {w: w, first: -1}}
	s := &source{w: w, rates: []Rate{RateFull, RateOff, RateFull}, spoken: make([]subtitles, 3)}
	for i := range s.spoken {
		for frame := range int64(100) {
			for range 30 {
				s.leaveOut(i, frame, letter('x'))
			}
		}
	}
	require.Empty(t, s.spoken[0].waiting, "another worker has sent them")
	require.Empty(t, s.spoken[1].waiting, "the rendition is off")
	require.Len(t, s.spoken[2].waiting, maxWaiting)
}
