// Command players lets players that nobody here wrote play a live feed, one after another, and says what a viewer saw.
//
// Each plays for a minute. Meanwhile its rendition is forced down and up, it goes 20 s back and returns to live, where
// it can; the camera is cut off for 5 s, and the process that transcodes is killed. The synthetic camera draws the time
// into each picture, so latency is read from the screen: camera to screen.
// The result is one table, player by figure, and bin/players.json. The exit status is 1 when a player met an error or
// rebuffered, unless that is known to be the player's own doing.
//
//	go run ./cmd/internal/players                      # every player, at a venue of its own
//	go run ./cmd/internal/players --only hls.js,ffmpeg
//	go run ./cmd/internal/players --url http://127.0.0.1:8080/live/camera-1/index.m3u8   # a feed that plays already: no faults
package main
