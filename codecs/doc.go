// Package codecs says what the bits are: time, access units, formats, pictures and packets.
//
// It and its subpackages import nothing of venuecast outside codecs. Only codecs/libav uses cgo.
package codecs
