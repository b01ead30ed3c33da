package origin

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
	"github.com/venuecast/venuecast/pipeline/live"
)

const maxEventBytes = 64 << 10

// eventForm is an event in /api/v1/feeds/{feed}/events.
type eventForm struct {
	ID              string         `json:"id,omitempty"`               // it defaults to one that follows from the rest
	At              time.Time      `json:"at,omitzero"`                // it defaults to now
	Duration        float64        `json:"duration,omitempty"`         // in seconds; 0: not known
	PlannedDuration float64        `json:"planned_duration,omitempty"` // in seconds; 0: not known
	Class           string         `json:"class,omitempty"`
	Data            map[string]any `json:"data,omitempty"`       // strings and numbers; "home-team" becomes X-HOME-TEAM
	SCTE35Cmd       string         `json:"scte35_cmd,omitempty"` // splice_info_section in hexadecimal
	SCTE35Out       string         `json:"scte35_out,omitempty"`
	SCTE35In        string         `json:"scte35_in,omitempty"`
}

func (s *Server) postEvent(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		fail(w, http.StatusNotFound, "no such feed", 0)
		return
	}
	body, ok := s.read(w, req, maxEventBytes)
	if !ok {
		return
	}
	var form eventForm
	if err := decodeStrictly(body, &form); err != nil {
		s.refuse(w, fmt.Errorf("reading the event: %w: %w", live.ErrInvalid, err))
		return
	}
	form.At = cmp.Or(form.At, s.opts.Now().Round(time.Millisecond))
	d, err := form.dateRange()
	if err != nil {
		s.refuse(w, fmt.Errorf("reading the event: %w: %w", live.ErrInvalid, err))
		return
	}
	event, err := feed.AddEvent(d)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	writeJSON(w, formOf(event))
}

func (s *Server) getEvents(w http.ResponseWriter, req *http.Request) {
	feed := s.opts.Feeds.Feed(req.PathValue("feed"))
	if feed == nil {
		fail(w, http.StatusNotFound, "no such feed", time.Second)
		return
	}
	forms := []eventForm{}
	for _, e := range feed.Events() {
		forms = append(forms, formOf(e))
	}
	cacheFor(w, 0)
	writeJSON(w, map[string]any{"events": forms})
}

// decodeStrictly reads one JSON value: a misspelt key is a mistake, not a default.
func decodeStrictly(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// dateRange returns the event in the playlist's words. What it may say is the feed's to check.
func (f eventForm) dateRange() (m3u8.DateRange, error) {
	d := m3u8.DateRange{ID: f.ID, Class: f.Class, StartDate: f.At.UTC()}
	var errs [5]error
	d.Duration, errs[0] = inSeconds(f.Duration)
	d.PlannedDuration, errs[1] = inSeconds(f.PlannedDuration)
	d.SCTE35Cmd, errs[2] = fromHex(f.SCTE35Cmd)
	d.SCTE35Out, errs[3] = fromHex(f.SCTE35Out)
	d.SCTE35In, errs[4] = fromHex(f.SCTE35In)
	if err := errors.Join(errs[:]...); err != nil {
		return d, err
	}
	for _, key := range slices.Sorted(maps.Keys(f.Data)) {
		a := m3u8.Attribute{Name: "X-" + strings.ToUpper(strings.ReplaceAll(key, "_", "-"))}
		switch value := f.Data[key].(type) {
		case string:
			a.Value = value
		case json.Number:
			// decimal-floating-point (RFC 8216bis §4.2) has no sign and no exponent; what has is written as text.
			a.Value, a.Bare = value.String(), !strings.ContainsAny(value.String(), "-+eE")
		default:
			return d, fmt.Errorf("data %q: want a string or a number", key)
		}
		d.Client = append(d.Client, a)
	}
	return d, nil
}

func formOf(e live.Event) eventForm {
	form := eventForm{
		ID: e.ID, At: e.StartDate, Class: e.Class, Duration: e.Duration.Seconds(), PlannedDuration: e.PlannedDuration.Seconds(),
		SCTE35Cmd: hex.EncodeToString(e.SCTE35Cmd), SCTE35Out: hex.EncodeToString(e.SCTE35Out), SCTE35In: hex.EncodeToString(e.SCTE35In),
		Data: map[string]any{},
	}
	for _, a := range e.Client {
		key := strings.ToLower(strings.TrimPrefix(a.Name, "X-"))
		form.Data[key] = a.Value
		if a.Bare {
			form.Data[key] = json.Number(a.Value)
		}
	}
	return form
}

func inSeconds(seconds float64) (time.Duration, error) {
	if !(seconds >= 0 && seconds < 1e9) {
		return 0, fmt.Errorf("duration %v: want seconds", seconds)
	}
	return time.Duration(math.Round(seconds*1e6)) * time.Microsecond, nil
}

func fromHex(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	data, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"))
	if err != nil {
		return nil, fmt.Errorf("splice %.20q…: want hexadecimal digits", text)
	}
	return data, nil
}
