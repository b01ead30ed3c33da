// Package rules holds a live HLS ladder against the rules of HLS, as far as a client can see them kept.
//
// The rules are those of draft-pantos-hls-rfc8216bis, its low-latency server profile, Apple's authoring specification
// and CMAF. Rules lists them, each with its source. A Checker is a strict client without a network: it says what to ask
// of the server, is given the answers, and reports each Violation with the lines of the playlist that show it.
// It keeps what it saw of each rendition, so that rules over time and between renditions are checked, too.
package rules
