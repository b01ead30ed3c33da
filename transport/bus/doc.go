// Package bus carries the records of feeds over NATS JetStream, and keeps the registry of feeds and of their workers there.
//
// Each feed has one stream with one writer at a time. The writer predicts the sequence number of every record
// (header Nats-Expected-Last-Sequence), so the stream itself keeps order, takes no record twice, and turns away a
// writer that has been succeeded. Readers choose the sequence number where they begin and acknowledge nothing.
// In a cluster they listen to the writer as well, and so go on while the stream has no leader.
// Who works on a feed is a key that changes only by compare-and-swap.
package bus
