// Package m3u8 writes HLS playlists, and reads them strictly (draft-pantos-hls-rfc8216bis, protocol version 13).
//
// A playlist is a struct with one field per tag. Append renders it without allocating, if dst has room.
// What comes from outside (names, languages, URIs) is made harmless when it is written: quotes and control characters
// cannot leave their attribute, and a URI cannot become a tag.
package m3u8
