// Package clip makes one MP4 file of a piece of CMAF media, without coding anything anew.
//
// The file begins with its moov, so that it plays while it is fetched. It holds the media from the last random access
// picture at or before the wanted start; an edit list (ISO/IEC 14496-12 §8.6.6) shows it from the wanted start on, to the frame.
//
// The media are read twice: once for the sample tables, once for the samples. Never is more than a segment in memory.
package clip
