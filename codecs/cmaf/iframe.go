package cmaf

import (
	"errors"
	"fmt"
)

// FirstPicture returns where the first sample of the first fragment in data ends: up to there data can be decoded as an
// I-frame, with its moof (Apple authoring specification 6.10). It fails when the sample is no sync sample.
func FirstPicture(data []byte) (end int64, err error) {
	var moof *box
	for b, err := range boxes(data) {
		if err != nil {
			return 0, fmt.Errorf("reading the first picture: %w", err)
		}
		if b.kind == "moof" {
			moof = &b
		}
		if b.kind == "mdat" && moof != nil {
			return firstPicture(*moof, b)
		}
	}
	return 0, errors.New("reading the first picture: no fragment")
}

func firstPicture(moof, mdat box) (int64, error) {
	f, err := readFragment(moof, mdat)
	if err != nil {
		return 0, fmt.Errorf("reading the first picture: %w", err)
	}
	if !f.FirstIsSync() {
		return 0, errors.New("reading the first picture: it is no sync sample")
	}
	trun, err := find(moof.body, "traf", "trun")
	if err != nil {
		return 0, err
	}
	r := reader{data: trun}
	r.full()
	r.u32() // sample_count
	offset := int64(int32(r.u32()))
	return int64(moof.offset) + offset + int64(len(f.Samples[0].Data)), r.err
}
