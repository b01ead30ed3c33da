package ladder

import "slices"

// Captions says which captions within the pictures are announced to players. The zero value announces those that are found
// (CEA-608 only), from then on.
type Captions struct {
	Off      bool      `json:"off,omitempty"`      // none are announced, whatever the pictures hold
	Channels []Caption `json:"channels,omitempty"` // these are announced from the start, whatever the pictures hold
}

// Caption is captions within the pictures.
type Caption struct {
	Channel  string `json:"channel"`            // of CEA-608: CC1 to CC4; a service of CEA-708: SERVICE1 to SERVICE63
	Language string `json:"language,omitempty"` // BCP 47; empty: not said
	Name     string `json:"name,omitempty"`     // shown to viewers; empty: the channel
}

func (c Captions) equal(d Captions) bool {
	return c.Off == d.Off && slices.Equal(c.Channels, d.Channels)
}
