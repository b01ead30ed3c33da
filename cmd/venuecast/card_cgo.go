//go:build cgo

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/venuecast/venuecast/codecs/libav"
	"github.com/venuecast/venuecast/transport/metrics"
)

// hardware is what a child uses besides the processor, and what is known of it.
type hardware struct {
	log   *slog.Logger
	meter *metrics.Hardware

	opening sync.Once
	card    *libav.Card // nil: there is none

	software bool // neither a card nor an encoder is used: it is not wanted, or has failed
	memory   bool // the card has failed: pictures are decoded and scaled in memory

	mu       sync.Mutex        // guards the fields below
	decoder  string            // that was chosen last
	encoders map[string]string // likewise, by rendition
}

// newHardware returns what a child may use; software: nothing of it.
func newHardware(log *slog.Logger, registry prometheus.Registerer, software bool) *hardware {
	return &hardware{log: log, meter: metrics.NewHardware(registry, hardwareSessions), software: software}
}

// open opens the card, once per process. A machine without one, or whose driver hangs, does without.
func (h *hardware) open() {
	h.opening.Do(func() {
		card, err := libav.OpenCard(libav.CardOptions{})
		if err != nil {
			h.log.Debug("no card is used", "error", err)
			return
		}
		h.card = card
		h.log.Info("card is opened", "card", card.Kind(), "scales", card.Scales(), "refused", strings.Join(card.Refused(), "; "))
	})
}

// use returns the card that a session is to use, nil if it is to use none.
func (h *hardware) use() *libav.Card {
	if h.software || h.memory {
		return nil
	}
	h.open()
	return h.card
}

// without says why no card is used.
func (h *hardware) without() string {
	switch {
	case h.software:
		return "hardware is not wanted, or an encoder has failed"
	case h.memory:
		return "the card has failed"
	}
	return "no card opens"
}

// close gives the card up.
func (h *hardware) close() {
	if h.card != nil {
		h.card.Close()
	}
}

// stepDown reports whether a feed can go on after an error, without what has failed. The next session resumes where the origin
// is, from the random access picture before, so nothing is lost or repeated. After a card, the encoders are the same
// and so is the stream; after an encoder its parameter sets are others, and the origin announces a discontinuity.
func (h *hardware) stepDown(feed string, err error) bool {
	switch {
	case errors.Is(err, libav.ErrCard) && !h.memory && !h.software:
		h.memory = true
		h.meter.SteppedDown(feed, metrics.StepDownCard)
		h.log.Error("decoding and scaling in memory", "feed", feed, "error", err)
	case errors.Is(err, libav.ErrDevice) && !h.software:
		h.software = true
		h.meter.SteppedDown(feed, metrics.StepDownEncoder)
		h.log.Error("going on in software", "feed", feed, "error", err)
	default:
		return false
	}
	return true
}

// decodes says what decodes a feed.
func (h *hardware) decodes(feed, kind, refused string) {
	h.meter.Decoder(feed, kind)
	h.log.Info("decoder is chosen", "feed", feed, "decoder", kind, "refused", refused)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.decoder = kind
}

// encodes says what encodes a rendition.
func (h *hardware) encodes(feed, rendition, encoder string) {
	h.meter.Encoder(feed, rendition, encoder)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.encoders == nil {
		h.encoders = map[string]string{}
	}
	h.encoders[rendition] = encoder
}

// hardwareSessions returns the open sessions in the words of the metrics.
func hardwareSessions() map[metrics.Session]int64 {
	all := map[metrics.Session]int64{}
	for s, n := range libav.Sessions() {
		all[metrics.Session(s)] = n
	}
	return all
}

// summary says in a line what a feed's pictures went through.
func (h *hardware) summary() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	scaler := libav.InMemory
	if c := h.use(); c != nil && c.Scales() && h.decoder == c.Kind() {
		scaler = c.Kind()
	}
	line := fmt.Sprintf("decoder %s, scaler %s", h.decoder, scaler)
	for _, name := range slices.Sorted(maps.Keys(h.encoders)) {
		line += fmt.Sprintf(", %s %s", name, h.encoders[name])
	}
	return line
}
