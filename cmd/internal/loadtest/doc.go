// Package loadtest puts many low-latency viewers on one media playlist and measures how soon each has what it waits for.
//
// A viewer does what RFC 8216bis asks of a client: it asks for the playlist with _HLS_msn and _HLS_part of the part that
// comes next, is answered when that is there, and fetches the part. Viewers speak HTTP/1.1 over a connection each.
//
// Latency is the time from when a part exists to when an answer is complete. When the package puts the parts itself (see
// Source), a part exists from the moment its request to the origin is sent: that is one clock, and nothing is left out.
// For another stream it exists from when the first viewer's playlist answer began, the earliest moment that a viewer can tell.
//
// It also plays coded media as many cameras (see Cameras), and measures an ingest that takes them in (see MeasureIntake).
package loadtest
