package origin_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline"
	"github.com/venuecast/venuecast/pipeline/live"
	"github.com/venuecast/venuecast/transport/origin"
)

// still returns a JPEG of a segment: each has other bytes.
func still(t testing.TB, msn int64) []byte {
	p := image.NewYCbCr(image.Rect(0, 0, 64, 32), image.YCbCrSubsampleRatio420)
	for i := range p.Y {
		p.Y[i] = byte(msn)
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, p, nil))
	return out.Bytes()
}

func (h *house) thumbnail(msn int64, data []byte, header ...string) *httptest.ResponseRecorder {
	header = append([]string{origin.HeaderEpoch, "1", "Content-Type", "image/jpeg"}, header...)
	return h.ingest("PUT", fmt.Sprintf("/%d/thumbnail", msn), data, header...)
}

// pictured returns an origin with four segments and the thumbnails of three.
func pictured(t *testing.T) *house {
	h := filled(t, origin.Options{})
	for msn := int64(firstMSN); msn < firstMSN+3; msn++ {
		require.Equal(t, http.StatusNoContent, h.thumbnail(msn, still(t, msn)).Code)
	}
	return h
}

func TestTheNewestThumbnailChangesAndTheOthersDoNot(t *testing.T) {
	h := pictured(t)
	newest := h.do("GET", "/live/hall/thumbnail.jpg", nil)
	require.Equal(t, http.StatusOK, newest.Code)
	require.Equal(t, still(t, firstMSN+2), newest.Body.Bytes())
	require.Equal(t, "image/jpeg", newest.Header().Get("Content-Type"))
	require.Equal(t, "public, max-age=1", newest.Header().Get("Cache-Control"))
	tag := newest.Header().Get("ETag")
	require.Equal(t, http.StatusNotModified, h.do("GET", "/live/hall/thumbnail.jpg", nil, "If-None-Match", tag).Code)

	require.Equal(t, http.StatusNoContent, h.thumbnail(firstMSN+3, still(t, firstMSN+3)).Code)
	require.Equal(t, http.StatusOK, h.do("GET", "/live/hall/thumbnail.jpg", nil, "If-None-Match", tag).Code)

	one := h.do("GET", "/live/hall/thumbnail.1001.jpg", nil)
	require.Equal(t, still(t, 1001), one.Body.Bytes())
	require.Contains(t, one.Header().Get("Cache-Control"), "immutable")
	require.Equal(t, http.StatusOK, h.do("HEAD", "/live/hall/thumbnail.1001.jpg", nil).Code)
	for _, name := range []string{"thumbnail.1009.jpg", "thumbnail.01001.jpg", "thumbnail.-1.jpg", "thumbnail..jpg", "thumbnail.png", "x"} {
		require.Equal(t, http.StatusNotFound, h.do("GET", "/live/hall/"+name, nil).Code, name)
	}
	require.Equal(t, http.StatusNotFound, h.do("GET", "/live/nowhere/thumbnail.jpg", nil).Code)
}

func TestThumbnailsThatCanNotBeAreRefused(t *testing.T) {
	h := filled(t, origin.Options{})
	good := still(t, firstMSN)
	require.Equal(t, http.StatusBadRequest, h.thumbnail(firstMSN, []byte("GIF89a")).Code)
	require.Equal(t, http.StatusBadRequest, h.thumbnail(firstMSN, good, "Content-Type", "image/png").Code)
	require.Equal(t, http.StatusBadRequest, h.thumbnail(firstMSN, good, origin.HeaderEpoch, "").Code)
	require.Equal(t, http.StatusBadRequest, h.thumbnail(firstMSN+1000, good).Code)
	require.Equal(t, http.StatusPreconditionFailed, h.thumbnail(firstMSN, good, origin.HeaderEpoch, "0").Code)
	require.Equal(t, http.StatusConflict, h.thumbnail(firstMSN, good, origin.HeaderEpoch, "2").Code)
	require.Equal(t, http.StatusRequestEntityTooLarge, h.thumbnail(firstMSN, append(good, make([]byte, live.MaxThumbnailBytes)...)).Code)
	require.Equal(t, http.StatusUnauthorized, h.do("PUT", "/ingest/v1/hall/1000/thumbnail", good).Code)
	require.Equal(t, http.StatusNotFound, h.do("GET", "/live/hall/thumbnail.jpg", nil).Code, "nothing was taken")
}

func TestTheStoryboardsPicturesAreThere(t *testing.T) {
	h := pictured(t)
	board := h.do("GET", "/dvr/hall/storyboard.vtt", nil)
	require.Equal(t, http.StatusOK, board.Code)
	require.Equal(t, "text/vtt; charset=utf-8", board.Header().Get("Content-Type"))
	require.Contains(t, board.Body.String(), "\n00:00:01.920 --> 00:00:03.840\nstoryboard.1000-1002.jpg#xywh=32,0,32,16\n")
	for range 2 { // made, and kept
		rec := h.do("GET", "/dvr/hall/storyboard.1000-1002.jpg", nil)
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		require.Contains(t, rec.Header().Get("Cache-Control"), "immutable")
		sheet, err := jpeg.Decode(rec.Body)
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, 5*32, 5*16), sheet.Bounds())
		tile := sheet.(*image.YCbCr)
		require.InDelta(t, firstMSN%256, tile.YCbCrAt(16, 8).Y, 4)
		require.InDelta(t, (firstMSN+1)%256, tile.YCbCrAt(48, 8).Y, 4)
		require.InDelta(t, 0, tile.YCbCrAt(16, 56).Y, 4)
	}
	require.NoError(t, testutil.GatherAndCompare(h.registry, strings.NewReader(`
# HELP venuecast_origin_sprites_total Sprites made for storyboards, and thumbnails that could not be read for them.
# TYPE venuecast_origin_sprites_total counter
venuecast_origin_sprites_total{reason="made"} 1
venuecast_origin_sprites_total{reason="unreadable"} 0
# HELP venuecast_origin_thumbnails_total Thumbnails taken from workers.
# TYPE venuecast_origin_thumbnails_total counter
venuecast_origin_thumbnails_total{feed="hall"} 3
`), "venuecast_origin_sprites_total", "venuecast_origin_thumbnails_total"))
	for _, name := range []string{"storyboard.1000-1003.jpg", "storyboard.1001-1002.jpg", "storyboard.1002-1000.jpg", "storyboard.1000.jpg", "storyboard.jpg", "x"} {
		require.Equal(t, http.StatusNotFound, h.do("GET", "/dvr/hall/"+name, nil).Code, name)
	}
	begin := h.feed.Grid.SegmentTime(firstMSN).Time().Unix()
	query := fmt.Sprintf("?from=%d&to=%d", begin+2, begin+7)
	past := h.do("GET", "/vod/hall/storyboard.vtt"+query, nil)
	require.Equal(t, http.StatusOK, past.Code, past.Body)
	require.Contains(t, past.Body.String(), "../../dvr/hall/storyboard.1000-1002.jpg#xywh=")
}

func TestAThumbnailGoesFromTheWorkersClientToTheViewer(t *testing.T) {
	url, _ := serve(t, "127.0.0.1:0", prometheus.NewRegistry())
	client := newClient(t, url)
	fill(t, client, 1)
	require.NoError(t, client.PutThumbnail(t.Context(), "hall", 1, pipeline.Thumbnail{MSN: firstMSN, Data: still(t, firstMSN)}))
	require.ErrorIs(t, client.PutThumbnail(t.Context(), "hall", 0, pipeline.Thumbnail{MSN: firstMSN, Data: still(t, firstMSN)}), pipeline.ErrFenced)
	viewer := &http.Client{Transport: &http.Transport{}}
	defer viewer.CloseIdleConnections()
	require.Equal(t, still(t, firstMSN), get(t, viewer, url+"/live/hall/thumbnail.jpg", http.StatusOK))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, client.PutThumbnail(ctx, "hall", 1, pipeline.Thumbnail{MSN: firstMSN + 1, Data: still(t, 1)}))
}
