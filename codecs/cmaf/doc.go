// Package cmaf writes and reads CMAF tracks (ISO/IEC 23000-19): an init section, and fragments of one track each.
//
// The same input gives the same bytes, on any machine and day: there are no creation times and no random ids.
// A fragment is moof and mdat without styp, which a CMAF chunk does not need; so the fragments of a segment,
// written one after another, are the segment.
package cmaf

// TrackID is the only track's track_ID.
const TrackID = 1
