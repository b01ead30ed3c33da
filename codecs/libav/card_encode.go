package libav

/*
#include "native.h"
*/
import "C"

import "fmt"

// openAny opens an encoder, with pictures of the card if it is one of that and pictures stay there, else from memory. It
// returns a line for each way in which it did not open.
func openAny(c candidate, o EncoderOptions) (e *Encoder, refused []string) {
	card := o.Card
	o.Card = nil
	if card != nil && card.scales && card.kind.of(c.name) {
		onCard, reason := open(c.onCard(), o.with(card))
		if onCard != nil {
			return onCard, nil
		}
		refused = append(refused, c.name+" on the card: "+reason)
	}
	e, reason := open(c, o)
	if e == nil {
		refused = append(refused, c.name+": "+reason)
	}
	return e, refused
}

func (o EncoderOptions) with(card *Card) EncoderOptions {
	o.Card = card
	return o
}

// onCard returns the candidate for pictures that lie on its card: semi-planar ones.
func (c candidate) onCard() candidate {
	c.packed = true
	return c
}

// inputFromCard returns a reference to a picture of a card in the encoder's pixel format: as it is for an encoder of that
// card, else in memory.
func (e *Encoder) inputFromCard(p *Picture) (*Picture, error) {
	if w, h := p.Size(); w != e.o.Width || h != e.o.Height {
		return nil, fmt.Errorf("picture of %d×%d, want %d×%d", w, h, e.o.Width, e.o.Height)
	}
	if e.device.takes(p) {
		return p.retain(), nil
	}
	if e.convert == nil {
		var err error
		o := ScalerOptions{Width: e.o.Width, Height: e.o.Height}
		if e.convert, err = newScaler(o, planar(e.o.Depth)); err != nil {
			return nil, err
		}
	}
	return e.convert.scale(p)
}
