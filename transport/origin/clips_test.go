package origin_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// studio is a house whose media are real CMAF, and which cuts clips.
type studio struct {
	*house
	feeds *live.Feeds
	clips *origin.Clips
	stop  func()
}

func newStudio(t *testing.T, feed pipeline.Feed, dir string, opts origin.ClipOptions) *studio {
	s := &studio{house: &house{T: t, feed: feed, registry: prometheus.NewRegistry()}}
	s.feeds = live.New(live.Options{Store: openDisk(t, filepath.Join(dir, "dvr"))})
	require.NoError(t, s.feeds.Restore())
	opts.Feeds, opts.Disk = s.feeds, openDisk(t, filepath.Join(dir, "clips"))
	var err error
	s.clips, err = origin.NewClips(opts)
	require.NoError(t, err)
	server, err := origin.New(origin.Options{Feeds: s.feeds, Clips: s.clips, Token: token, Registerer: s.registry})
	require.NoError(t, err)
	s.handler = server.Handler()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.feeds.Run(ctx) })
	running.Go(func() { _ = s.clips.Run(ctx) })
	s.stop = func() { cancel(); running.Wait() }
	t.Cleanup(s.stop)
	return s
}

func unhex(t *testing.T, text string) []byte {
	data, err := hex.DecodeString(text)
	require.NoError(t, err)
	return data
}

// record puts segments [from, to) of picture and sound.
func (s *studio) record(from, to int64) {
	_, err := s.feeds.Claim(pipeline.Session{Feed: s.feed, Epoch: 1})
	require.NoError(s, err)
	feed := s.feeds.Feed("hall")
	video, _, err := cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{
		unhex(s.T, "6742c01ed900a02ff97011000003000100000300320f162e48"), unhex(s.T, "68cb83cb20"),
	})})
	require.NoError(s, err)
	require.NoError(s, feed.PutInit(1, pipeline.Init{Rendition: "540p", Codecs: "avc1.42C01E", Data: video}))
	sound, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}})
	require.NoError(s, err)
	require.NoError(s, feed.PutInit(1, pipeline.Init{Rendition: "sound", Codecs: "mp4a.40.2", Data: sound}))
	for msn := from; msn < to; msn++ {
		for i := range 6 {
			k := msn*48 + int64(i)*8
			v := cmaf.Fragment{BaseTime: uint64(k * 3600)}
			for j := range int64(8) {
				v.Samples = append(v.Samples, cmaf.Sample{Duration: 3600, Key: i == 0 && j == 0, Data: fmt.Appendf(nil, "picture %d", k+j)})
			}
			n := msn*90 + int64(i)*15
			a := cmaf.Fragment{BaseTime: uint64(n * 1024)}
			for j := range int64(15) {
				a.Samples = append(a.Samples, cmaf.Sample{Duration: 1024, Key: true, Data: fmt.Appendf(nil, "sound %d", n+j)})
			}
			require.NoError(s, feed.PutPart(1, pipeline.Part{Rendition: "540p", MSN: msn, Index: i, Duration: 28800, Timescale: 90000, Independent: i == 0, Data: v.Marshal()}))
			require.NoError(s, feed.PutPart(1, pipeline.Part{Rendition: "sound", MSN: msn, Index: i, Duration: 15360, Timescale: 48000, Independent: true, Data: a.Marshal()}))
		}
	}
}

func (s *studio) at(d time.Duration) time.Time {
	return s.feed.Grid.SegmentTime(firstMSN).Time().Add(d)
}

func (s *studio) ask(from, to time.Duration) (clip origin.Clip, status int) {
	body := fmt.Sprintf(`{"feed": "hall", "from": %q, "to": %q}`, s.at(from).Format(time.RFC3339Nano), s.at(to).Format(time.RFC3339Nano))
	rec := s.do("POST", "/api/v1/clips", []byte(body), "Authorization", "Bearer "+token)
	if rec.Code == http.StatusAccepted {
		require.NoError(s, json.Unmarshal(rec.Body.Bytes(), &clip))
		require.Equal(s, "/api/v1/clips/"+clip.ID, rec.Header().Get("Location"))
	}
	return clip, rec.Code
}

func (s *studio) state(id string) (clip origin.Clip) {
	rec := s.do("GET", "/api/v1/clips/"+id, nil)
	require.Equal(s, http.StatusOK, rec.Code)
	require.NoError(s, json.Unmarshal(rec.Body.Bytes(), &clip))
	return clip
}

func (s *studio) until(id, state string) origin.Clip {
	require.Eventually(s, func() bool { return s.state(id).State == state }, 10*time.Second, time.Millisecond)
	return s.state(id)
}

func TestAClipIsCutAndServed(t *testing.T) {
	s := newStudio(t, testFeed(startOfTest.Add(-time.Minute)), t.TempDir(), origin.ClipOptions{})
	s.record(firstMSN, firstMSN+6)
	clip, status := s.ask(time.Second, 5*time.Second)
	require.Equal(t, http.StatusAccepted, status)
	clip = s.until(clip.ID, origin.ClipReady)
	require.InDelta(t, 1, clip.Progress, 1e-9)

	rec := s.do("GET", clip.URL, nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "video/mp4", rec.Header().Get("Content-Type"))
	require.Equal(t, strconv.FormatInt(clip.Bytes, 10), rec.Header().Get("Content-Length"))
	file, err := mp4.DecodeFile(bytes.NewReader(rec.Body.Bytes()))
	require.NoError(t, err)
	require.Len(t, file.Moov.Traks, 2)
	require.EqualValues(t, 4*90000, file.Moov.Mvhd.Duration)
	require.Contains(t, rec.Body.String(), fmt.Sprintf("picture %d", firstMSN*48+25))
	require.Contains(t, rec.Body.String(), fmt.Sprintf("sound %d", firstMSN*90+47))
	require.NotContains(t, rec.Body.String(), fmt.Sprintf("picture %d", firstMSN*48+125))

	rec = s.do("GET", clip.URL, nil, "Range", "bytes=4-7")
	require.Equal(t, http.StatusPartialContent, rec.Code)
	require.Equal(t, "ftyp", rec.Body.String())
	require.Contains(t, s.do("GET", "/api/v1/clips", nil).Body.String(), clip.ID)

	require.Equal(t, http.StatusUnauthorized, s.do("DELETE", "/api/v1/clips/"+clip.ID, nil).Code)
	require.Equal(t, http.StatusNoContent, s.do("DELETE", "/api/v1/clips/"+clip.ID, nil, "Authorization", "Bearer "+token).Code)
	require.Equal(t, http.StatusNotFound, s.do("GET", clip.URL, nil).Code)
	require.Equal(t, http.StatusNotFound, s.do("DELETE", "/api/v1/clips/"+clip.ID, nil, "Authorization", "Bearer "+token).Code)
	require.JSONEq(t, `{"clips":[]}`, s.do("GET", "/api/v1/clips", nil).Body.String())
}

func TestAClipOfTheFutureWaitsForIt(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, testFeed(time.Now().Add(-10*time.Second).Truncate(time.Second)), dir, origin.ClipOptions{})
		defer s.stop()
		s.record(firstMSN, firstMSN+5)
		clip, status := s.ask(5*time.Second, 13*time.Second)
		require.Equal(t, http.StatusAccepted, status)
		time.Sleep(4 * time.Second)
		require.Equal(t, origin.ClipWaiting, s.state(clip.ID).State)
		require.Equal(t, http.StatusConflict, s.do("GET", "/api/v1/clips/"+clip.ID+".mp4", nil).Code)
		s.record(firstMSN+5, firstMSN+8)
		time.Sleep(time.Second)
		require.Equal(t, origin.ClipReady, s.state(clip.ID).State)

		clip, _ = s.ask(20*time.Second, 30*time.Second) // nothing comes any more
		time.Sleep(2 * time.Minute)
		require.Equal(t, origin.ClipFailed, s.state(clip.ID).State)
		clip, _ = s.ask(5*time.Second, 30*time.Second)
		time.Sleep(time.Second)
		require.Equal(t, origin.ClipReady, s.state(clip.ID).State, "what there is of it")
	})
}

func TestClipsThatCanNotBeAreRefused(t *testing.T) {
	s := newStudio(t, testFeed(startOfTest.Add(-time.Minute)), t.TempDir(), origin.ClipOptions{MaxClips: 1, MaxLength: 20 * time.Second})
	s.record(firstMSN, firstMSN+6)
	for name, c := range map[string]struct {
		from, to time.Duration
		want     int
	}{
		"turned around": {5 * time.Second, time.Second, http.StatusBadRequest},
		"too long":      {0, 21 * time.Second, http.StatusBadRequest},
		"long ago":      {-30 * time.Second, -20 * time.Second, http.StatusNotFound},
		"tomorrow":      {24 * time.Hour, 24*time.Hour + time.Second, http.StatusBadRequest},
	} {
		_, status := s.ask(c.from, c.to)
		require.Equal(t, c.want, status, name)
	}
	for body, want := range map[string]int{
		`{}`: http.StatusBadRequest,
		`{"feed": "other", "from": "0", "to": "5"}`:                                 http.StatusNotFound,
		`{"feed": "hall", "rendition": "../../etc/passwd", "from": "0", "to": "5"}`: http.StatusNotFound,
		`{"feed": "hall", "length": 5}`:                                             http.StatusBadRequest,
	} {
		require.Equal(t, want, s.do("POST", "/api/v1/clips", []byte(body), "Authorization", "Bearer "+token).Code, body)
	}
	require.Equal(t, http.StatusUnauthorized, s.do("POST", "/api/v1/clips", []byte("{}")).Code)
	require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/clips/..%2f..%2fetc%2fpasswd", nil).Code)
	clip, _ := s.ask(0, time.Second)
	_, status := s.ask(0, time.Second)
	require.Equal(t, http.StatusTooManyRequests, status)
	s.until(clip.ID, origin.ClipReady)
}

func TestWhatIsWrongWithAClipIsSaid(t *testing.T) {
	s := newStudio(t, testFeed(startOfTest.Add(-time.Minute)), t.TempDir(), origin.ClipOptions{})
	for body, want := range map[string]string{
		`{"feed": "hall", "from": "noon", "to": 5}`: `reading the clip: not valid: from: "noon": want a time`,
		`{"feed": "hall", "from": 5}`:               `reading the clip: not valid: to: "": want a time`,
		`{"feed": "hall", "form": 5}`:               `reading the clip: not valid: json: unknown field "form"`,
		`{"feed": "other", "from": 0, "to": 5}`:     `feed "other", rendition "": no such feed or rendition`,
	} {
		require.Contains(t, s.do("POST", "/api/v1/clips", []byte(body), "Authorization", "Bearer "+token).Body.String(), want)
	}
	require.Contains(t, s.do("POST", "/api/v1/clips", []byte("{}"), "Authorization", "Bearer x").Body.String(), "origin.push_token")
}

func TestAClipsTimesMayBeNumbers(t *testing.T) {
	s := newStudio(t, testFeed(startOfTest.Add(-time.Minute)), t.TempDir(), origin.ClipOptions{})
	s.record(firstMSN, firstMSN+6)
	from := s.at(time.Second).Unix()
	rec := s.do("POST", "/api/v1/clips", fmt.Appendf(nil, `{"feed": "hall", "from": %d, "to": %d.5}`, from, from+2), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusAccepted, rec.Code)
	var clip origin.Clip
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &clip))
	require.Equal(t, 2500*time.Millisecond, clip.To.Sub(clip.From))
	s.until(clip.ID, origin.ClipReady)
}

func TestClipsAreBoundedInBytes(t *testing.T) {
	s := newStudio(t, testFeed(startOfTest.Add(-time.Minute)), t.TempDir(), origin.ClipOptions{MaxBytes: 10_000})
	s.record(firstMSN, firstMSN+6)
	first, _ := s.ask(0, 5*time.Second)
	s.until(first.ID, origin.ClipReady)
	second, _ := s.ask(0, 5*time.Second)
	require.Contains(t, s.until(second.ID, origin.ClipFailed).Error, "no room")
	require.NoError(t, s.clips.Delete(first.ID))
	third, _ := s.ask(0, 5*time.Second)
	s.until(third.ID, origin.ClipReady)
}

func TestClipsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	feed := testFeed(startOfTest.Add(-time.Minute))
	s := newStudio(t, feed, dir, origin.ClipOptions{})
	s.record(firstMSN, firstMSN+6)
	ready, _ := s.ask(0, 5*time.Second)
	ready = s.until(ready.ID, origin.ClipReady)
	waiting, status := s.ask(6*time.Second, time.Minute+30*time.Second)
	require.Equal(t, http.StatusAccepted, status)
	s.stop()
	for name, data := range map[string]string{"cut.mp4.aside": "half", "deleted.mp4": "of a clip", "broken.json": "{"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "clips", name), []byte(data), 0o600))
	}

	s = newStudio(t, feed, dir, origin.ClipOptions{})
	require.Equal(t, ready, s.state(ready.ID))
	require.EqualValues(t, ready.Bytes, s.do("GET", ready.URL, nil).Body.Len())
	require.Equal(t, origin.ClipWaiting, s.state(waiting.ID).State)
	require.Len(t, s.clips.All(), 2)
	require.NoFileExists(t, filepath.Join(dir, "clips", "cut.mp4.aside"))
	require.NoFileExists(t, filepath.Join(dir, "clips", "deleted.mp4"))
	s.stop()

	require.NoError(t, os.Truncate(filepath.Join(dir, "clips", ready.ID+".mp4"), 100))
	s = newStudio(t, feed, dir, origin.ClipOptions{})
	require.Equal(t, ready.Bytes, s.until(ready.ID, origin.ClipReady).Bytes, "what was not whole is cut anew")
}
