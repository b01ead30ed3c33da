// Package mpegts makes segments of MPEG transport stream (ISO/IEC 13818-1) of CMAF segments, for players that know nothing else.
//
// Each segment is made by itself, of nothing but its sources: the same bytes whoever makes it and when. It begins with
// PAT and PMT, and continuity counters run on from one to the next (RFC 8216bis §3.1.1) although no maker knows of
// another: each PID has a multiple of 16 packets with payload in every segment.
//
// The time stamps are those of the CMAF media, modulo 2^33; only decoding times are earlier by a constant.
package mpegts
