package pipeline

import "time"

// Demand is what viewers ask for of a feed's renditions on demand, by name. Those that nobody asks for are absent.
type Demand map[string]Want

// Want is the demand for one rendition.
type Want struct {
	// From is the part that is wanted first and is not there: it, and all after it, are to be made.
	From Position `json:"from"`
	// Age is how long ago somebody asked last, in nanoseconds.
	Age time.Duration `json:"age"`
}

// DemandHold is how long a rendition is wanted after the last request for it.
const DemandHold = 30 * time.Second
