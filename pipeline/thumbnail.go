package pipeline

// Thumbnail is the first picture of a segment as a small JPEG. There is one per segment and feed, and it is immutable.
type Thumbnail struct {
	MSN  int64
	Data []byte // a JPEG file
}
