// Package live keeps what the workers put out and shows it to viewers: the sliding window of each rendition,
// its playlists, and the claim that lets one worker at a time write.
//
// Writers of one feed are serialised by a lock. Readers see immutable snapshots: a playlist is rendered without a lock,
// once per snapshot and form however many clients ask, and waiting for the next part costs nothing until it is there.
//
// All numbers follow from the feed's grid. A rendition's Media Sequence Number grows by one with every segment;
// segments that never came are listed as gaps, so that the timeline stays whole (RFC 8216bis §6.2.1).
package live
