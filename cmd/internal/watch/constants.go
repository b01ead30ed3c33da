package watch

import (
	"time"

	"github.com/venuecast/venuecast/codecs/m3u8"
)

// constants are what must not change in the life of a stream. Apple's players stop for good when they do.
type constants struct {
	targetDuration int
	partTarget     time.Duration
	control        m3u8.ServerControl
}

// checkConstants holds the constants against those of the first playlist, and those against their bounds.
func (t *track) checkConstants(m *m3u8.Media, at time.Time) {
	now := constants{m.TargetDuration, m.PartTarget, m.ServerControl}
	if t.constants == (constants{}) {
		t.constants = now
		t.checkBounds(at)
		return
	}
	if t.constants != now {
		t.faults.add(at, Constant, "constants changed from %+v to %+v", t.constants, now)
		t.constants = now
	}
}

// checkBounds checks hold-backs: at least three target durations (§4.4.3.8), and three part targets, as Apple's
// authoring specification has it.
func (t *track) checkBounds(at time.Time) {
	c := &t.constants
	if least := 3 * time.Duration(c.targetDuration) * time.Second; c.control.HoldBack != 0 && c.control.HoldBack < least {
		t.faults.add(at, Constant, "HOLD-BACK is %v, want at least %v", c.control.HoldBack, least)
	}
	if c.partTarget > 0 && c.control.PartHoldBack < 3*c.partTarget {
		t.faults.add(at, Constant, "PART-HOLD-BACK is %v, want at least three times %v", c.control.PartHoldBack, c.partTarget)
	}
}
