// Command chaos proves that nothing is lost: it runs a whole venue in processes of its own, injects faults at random
// moments, and follows every rendition meanwhile as a strict player does.
//
// The synthetic camera draws a frame number into each picture. After each fault the output is decoded, and every frame
// number must be there once and in order, in every rendition, unless the fault took the camera itself away.
// The result is one table, fault by figure, and chaos.json.
//
//	go run ./cmd/internal/chaos            # every fault five times
//	go run ./cmd/internal/chaos -short     # some faults once
//	go run ./cmd/internal/chaos -lint 10m  # lint of /live and /dvr while a worker, the origin and the camera's network fail
package main
