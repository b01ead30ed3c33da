// Package watch follows a live HLS ladder as a strict player would, and reports what a player must never see.
//
// A Watcher reads every rendition of a multivariant playlist with blocking reloads, or by polling where the server
// cannot block. It fetches each init section, part and segment and holds it against what the playlists promised
// (draft-pantos-hls-rfc8216bis), against what was served before, and against the other renditions.
//
// The checks are pure: a track is fed with parsed playlists, bytes and times. Only the follower talks HTTP.
package watch
