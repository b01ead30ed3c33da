// Package ingest takes a camera's access units, gives them their time, and hands them to the bus.
//
// The way of a unit: a Source's session delivers to a camera's queue, which never blocks it; the publisher stamps it
// (pipeline/timeline), snaps pictures to the feed's grid, bundles sound, and publishes. While the source is away the
// publisher says so ten times a second, so that what a worker shows meanwhile is a function of what is on the bus.
package ingest
