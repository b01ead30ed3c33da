// Package transcode makes a feed's renditions from what is on the bus.
//
// The way of a frame, forward only: Source reads a record, decodes it once, conforms it to the feed's grid (a picture for
// every frame number: there, repeated, or the slate), scales it in a cascade and hands a reference to each Rendition;
// a Rendition encodes it, forcing an IDR where the grid says, and packs parts; a Pusher sends them to the origin.
//
// All of it is a function of bus bytes, ladder and grid: a worker that resumes makes the same cuts, numbers and names.
package transcode
