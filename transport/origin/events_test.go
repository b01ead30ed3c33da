package origin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/origin"
)

// splice is the first example of SCTE 35 §14.1.
const splice = "fc3034000000000000fffff00506fe72bd0050001e021c435545494800008e7fcf0001a599b00808000000002ca0a18a3402009ac9d17e"

func (h *house) event(body string) (status int, answer string) {
	rec := h.do("POST", "/api/v1/feeds/hall/events", []byte(body), "Authorization", "Bearer "+token)
	return rec.Code, rec.Body.String()
}

func TestAnEventIsInAllPlaylists(t *testing.T) {
	h := filled(t, origin.Options{})
	at := h.feed.Grid.SegmentTime(firstMSN + 2).Time().UTC().Format(time.RFC3339Nano)
	status, answer := h.event(`{"id": "goal-1", "at": "` + at + `", "duration": 12.5, "class": "com.example.goal",
		"data": {"home_team": "Lions", "score": 2}, "scte35_out": "0x` + splice + `"}`)
	require.Equal(t, http.StatusCreated, status, answer)
	want := `#EXT-X-DATERANGE:ID="goal-1",CLASS="com.example.goal",START-DATE="` + h.feed.Grid.SegmentTime(firstMSN+2).Time().UTC().Format("2006-01-02T15:04:05.000Z") +
		`",DURATION=12.5,X-HOME-TEAM="Lions",X-SCORE=2,SCTE35-OUT=0x` + strings.ToUpper(splice) + "\n"
	begin := h.feed.Grid.SegmentTime(firstMSN).Time().Unix()
	for _, path := range []string{
		"/live/hall/540p/index.m3u8", "/live/hall/sound/index.m3u8", "/live/hall/540p/index.m3u8?ll=0", "/dvr/hall/540p/index.m3u8",
		fmt.Sprintf("/vod/hall/540p/index.m3u8?from=%d&to=%d", begin, begin+6),
	} {
		require.Contains(t, h.do("GET", path, nil).Body.String(), want, path)
	}
	require.Contains(t, h.do("GET", "/live/hall/540p/index.m3u8", nil).Body.String(), "CAN-SKIP-DATERANGES=YES")
	require.JSONEq(t, `{"events":[{"id":"goal-1","at":"`+at+`","duration":12.5,"class":"com.example.goal",
		"data":{"home-team":"Lions","score":2},"scte35_out":"`+splice+`"}]}`, h.do("GET", "/api/v1/feeds/hall/events", nil).Body.String())
}

func TestANumberThatPlaylistsHaveNoWayToWriteIsText(t *testing.T) {
	h := filled(t, origin.Options{})
	status, answer := h.event(`{"data": {"a": 10.25, "b": -3, "c": 1e5}}`)
	require.Equal(t, http.StatusCreated, status, answer)
	require.Contains(t, answer, `{"a":10.25,"b":"-3","c":"1e5"}`)
	require.Contains(t, h.do("GET", "/live/hall/540p/index.m3u8", nil).Body.String(), `,X-A=10.25,X-B="-3",X-C="1e5"`+"\n")
}

func TestWrongEventsAreRefused(t *testing.T) {
	h := filled(t, origin.Options{})
	require.Equal(t, http.StatusUnauthorized, h.do("POST", "/api/v1/feeds/hall/events", []byte("{}")).Code)
	status, _ := h.event(`{"id": "a", "class": "x"}`)
	require.Equal(t, http.StatusCreated, status)
	for body, want := range map[string]int{
		``:                               http.StatusBadRequest,
		`[]`:                             http.StatusBadRequest,
		`{} {}`:                          http.StatusBadRequest,
		`{"cls": "x"}`:                   http.StatusBadRequest,
		`{"at": "yesterday"}`:            http.StatusBadRequest,
		`{"at": "1999-01-01T00:00:00Z"}`: http.StatusBadRequest,
		`{"at": "2999-01-01T00:00:00Z"}`: http.StatusBadRequest,
		`{"duration": -1}`:               http.StatusBadRequest,
		`{"duration": 1e300}`:            http.StatusBadRequest,
		`{"id": "a\"b"}`:                 http.StatusBadRequest,
		`{"class": "a\nb"}`:              http.StatusBadRequest,
		`{"data": {"a b": "x"}}`:         http.StatusBadRequest,
		`{"data": {"a": "x\ty\n"}}`:      http.StatusBadRequest,
		`{"data": {"a": true}}`:          http.StatusBadRequest,
		`{"data": {"a": 1, "A": 2}}`:     http.StatusBadRequest,
		`{"scte35_cmd": "0xfc"}`:         http.StatusBadRequest,
		`{"scte35_cmd": "hello"}`:        http.StatusBadRequest,
		`{"id": "a", "class": "y"}`:      http.StatusConflict,
		`{"id": "` + strings.Repeat("a", 70000) + `"}`: http.StatusRequestEntityTooLarge,
	} {
		status, answer := h.event(body)
		require.Equal(t, want, status, "%.60s: %s", body, answer)
	}
	rec := h.do("POST", "/api/v1/feeds/other/events", []byte("{}"), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusNotFound, rec.Code)
}
