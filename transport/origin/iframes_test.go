package origin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/transport/origin"
)

// pictures fetches what an I-frame playlist lists, and checks that each can be decoded by itself.
func (s *studio) pictures(path string) *m3u8.Media {
	rec := s.do("GET", path, nil)
	require.Equal(s, http.StatusOK, rec.Code, path)
	list, err := m3u8.ParseMedia(rec.Body.Bytes())
	require.NoError(s, err)
	require.True(s, list.IFramesOnly)
	base, err := url.Parse(path)
	require.NoError(s, err)
	for _, segment := range list.Segments {
		at, err := base.Parse(segment.URI)
		require.NoError(s, err)
		r := segment.ByteRange
		rec := s.do("GET", at.Path, nil, "Range", fmt.Sprintf("bytes=%d-%d", r.Offset, r.Offset+r.Length-1))
		require.Equal(s, http.StatusPartialContent, rec.Code)
		end, err := cmaf.FirstPicture(append(rec.Body.Bytes(), make([]byte, 4096)...)) // mdat goes on
		require.NoError(s, err)
		require.EqualValues(s, rec.Body.Len(), end)
	}
	return list
}

func TestEachSegmentHasAPictureForTrickPlay(t *testing.T) {
	dir := t.TempDir()
	feed := testFeed(time.Now().Add(-12 * time.Second).Truncate(time.Second))
	s := newStudio(t, feed, dir, origin.ClipOptions{})
	s.record(firstMSN, firstMSN+6)
	top, err := m3u8.ParseMultivariant(s.do("GET", "/live/hall/index.m3u8", nil).Body.Bytes())
	require.NoError(t, err)
	require.Len(t, top.IFrames, 1)
	require.Equal(t, "540p/iframes.m3u8", top.IFrames[0].URI)
	require.Equal(t, "avc1.42C01E", top.IFrames[0].Codecs)
	require.Less(t, top.IFrames[0].Bandwidth, top.Variants[0].Bandwidth)

	list := s.pictures("/live/hall/540p/iframes.m3u8")
	require.Len(t, list.Segments, 6)
	require.Equal(t, 1920*time.Millisecond, list.Segments[0].Duration)
	require.True(t, list.ServerControl.CanBlockReload)
	require.Empty(t, list.Segments[0].Parts)
	require.Equal(t, m3u8.ServerControl{}, s.pictures("/live/hall/540p/iframes.m3u8?ll=0").ServerControl)
	require.Len(t, s.pictures("/dvr/hall/540p/iframes.m3u8").Segments, 6)
	query := fmt.Sprintf("?from=%d&to=%d", s.at(4*time.Second).Unix(), s.at(8*time.Second).Unix())
	require.Len(t, s.pictures("/vod/hall/540p/iframes.m3u8"+query).Segments, 3)
	require.Contains(t, s.do("GET", "/vod/hall/index.m3u8"+query, nil).Body.String(), "EXT-X-I-FRAME-STREAM-INF")
	require.NotContains(t, s.do("GET", "/live/hall/sound/iframes.m3u8", nil).Body.String(), "BYTERANGE")
	s.stop()

	s = newStudio(t, feed, dir, origin.ClipOptions{})
	require.Len(t, s.pictures("/vod/hall/540p/iframes.m3u8"+query).Segments, 3, "after a restart")
}
