package ladder

// Encode says when a rendition is encoded.
type Encode string

// The ways.
const (
	EncodeAlways   Encode = ""          // from the feed's start on
	EncodeOnDemand Encode = "on_demand" // while somebody asks for it
)

// OnDemand returns the renditions that are encoded while somebody asks for them.
func (l Ladder) OnDemand() (names []string) {
	for _, v := range l.Video {
		if v.Encode == EncodeOnDemand {
			names = append(names, v.Name)
		}
	}
	return names
}

// keepSmallest makes the smallest rendition one that is always encoded: it is what players begin with, and the others'
// playlists follow it.
func (l *Ladder) keepSmallest() {
	if n := len(l.Video); n > 0 {
		l.Video[n-1].Encode = EncodeAlways
	}
}
