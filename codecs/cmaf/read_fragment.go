package cmaf

import (
	"errors"
	"fmt"
)

// FragmentInfo is a fragment as it was read.
type FragmentInfo struct {
	TrackID uint32
	Fragment
}

// FirstIsSync reports whether decoding can begin with the fragment.
func (f FragmentInfo) FirstIsSync() bool { return len(f.Samples) > 0 && f.Samples[0].Key }

// maxSamples bounds the samples of one fragment.
const maxSamples = 10_000

// ParseFragments reads the fragments in data: a part, a segment, or many. Boxes before a moof, such as styp, are passed over.
// It takes what Fragment writes and what other CMAF packagers do: one traf with one trun, defaults in tfhd.
// The samples' data alias data.
func ParseFragments(data []byte) ([]FragmentInfo, error) {
	var found []FragmentInfo
	var moof *box
	for b, err := range boxes(data) {
		if err != nil {
			return nil, fmt.Errorf("reading fragments: %w", err)
		}
		switch b.kind {
		case "moof":
			if moof != nil {
				return nil, errors.New("reading fragments: moof without mdat")
			}
			moof = &b
		case "mdat":
			if moof == nil {
				return nil, errors.New("reading fragments: mdat without moof")
			}
			f, err := readFragment(*moof, b)
			if err != nil {
				return nil, fmt.Errorf("reading fragment %d: %w", len(found), err)
			}
			found, moof = append(found, f), nil
		}
	}
	if moof != nil {
		return nil, errors.New("reading fragments: moof without mdat")
	}
	return found, nil
}

func readFragment(moof, mdat box) (FragmentInfo, error) {
	var f FragmentInfo
	mfhd, err := find(moof.body, "mfhd")
	if err != nil {
		return f, err
	}
	r := reader{data: mfhd}
	r.full()
	f.Sequence = r.u32()
	if r.err != nil {
		return f, fmt.Errorf("mfhd: %w", r.err)
	}
	traf, err := only(moof.body, "traf")
	if err != nil {
		return f, err
	}
	mdat.start -= moof.offset // data offsets count from the moof
	return f, readTrack(&f, traf, mdat)
}

// only returns the one box of its kind.
func only(data []byte, kind string) ([]byte, error) {
	var found []byte
	n := 0
	for b, err := range boxes(data) {
		if err != nil {
			return nil, err
		}
		if b.kind == kind {
			found, n = b.body, n+1
		}
	}
	if n != 1 {
		return nil, fmt.Errorf("%d boxes %q: want one", n, kind)
	}
	return found, nil
}

func readTrack(f *FragmentInfo, traf []byte, mdat box) error {
	tfhd, err := only(traf, "tfhd")
	if err != nil {
		return err
	}
	defaults, err := readDefaults(f, tfhd)
	if err != nil {
		return fmt.Errorf("tfhd: %w", err)
	}
	tfdt, err := only(traf, "tfdt")
	if err != nil {
		return err
	}
	r := reader{data: tfdt}
	if version, _ := r.full(); version == 1 {
		f.BaseTime = r.u64()
	} else {
		f.BaseTime = uint64(r.u32())
	}
	if r.err != nil {
		return fmt.Errorf("tfdt: %w", r.err)
	}
	trun, err := only(traf, "trun")
	if err != nil {
		return err
	}
	if err := readRun(f, trun, defaults, mdat); err != nil {
		return fmt.Errorf("trun: %w", err)
	}
	return nil
}

// The flags of tfhd and trun (ISO/IEC 14496-12 §8.8.7.1, §8.8.8.1).
const (
	tfhdBaseOffset  = 0x1
	tfhdDescription = 0x2
	tfhdDuration    = 0x8
	tfhdSize        = 0x10
	tfhdFlags       = 0x20
	tfhdBaseIsMoof  = 0x20000

	trunOffset      = 0x1
	trunFirstFlags  = 0x4
	trunDuration    = 0x100
	trunSize        = 0x200
	trunFlags       = 0x400
	trunComposition = 0x800

	sampleNonSync = 1 << 16
)

// defaults are the values of samples that do not have their own.
type defaults struct {
	has                   uint32 // tfhd's flags
	duration, size, flags uint32
}

func readDefaults(f *FragmentInfo, tfhd []byte) (defaults, error) {
	r := reader{data: tfhd}
	_, has := r.full()
	f.TrackID = r.u32()
	if has&tfhdBaseOffset != 0 || has&tfhdBaseIsMoof == 0 {
		return defaults{}, errors.New("want default-base-is-moof and no base data offset")
	}
	d := defaults{has: has}
	if has&tfhdDescription != 0 {
		r.u32()
	}
	if has&tfhdDuration != 0 {
		d.duration = r.u32()
	}
	if has&tfhdSize != 0 {
		d.size = r.u32()
	}
	if has&tfhdFlags != 0 {
		d.flags = r.u32()
	}
	return d, r.err
}

func readRun(f *FragmentInfo, trun []byte, d defaults, mdat box) error {
	r := reader{data: trun}
	_, has := r.full()
	count := r.u32()
	if count > maxSamples {
		return fmt.Errorf("%d samples: want at most %d", count, maxSamples)
	}
	if has&trunOffset == 0 {
		return errors.New("data offset is missing")
	}
	if has&trunDuration == 0 && d.has&tfhdDuration == 0 || has&trunSize == 0 && d.has&tfhdSize == 0 {
		return errors.New("samples have no duration or size")
	}
	offset := int64(int32(r.u32())) - int64(mdat.start)
	if offset < 0 || offset > int64(len(mdat.body)) {
		return errors.New("data offset is outside of mdat")
	}
	payload := reader{data: mdat.body[offset:]}
	if has&trunFirstFlags != 0 {
		first := r.u32()
		return readSamples(f, &r, &payload, count, has, d, &first)
	}
	return readSamples(f, &r, &payload, count, has, d, nil)
}

func readSamples(f *FragmentInfo, r, payload *reader, count, has uint32, d defaults, first *uint32) error {
	for i := range count {
		v := d
		if i == 0 && first != nil {
			v.flags = *first
		}
		if has&trunDuration != 0 {
			v.duration = r.u32()
		}
		if has&trunSize != 0 {
			v.size = r.u32()
		}
		if has&trunFlags != 0 {
			v.flags = r.u32()
		}
		var composition int32
		if has&trunComposition != 0 {
			composition = int32(r.u32())
		}
		s := Sample{
			Duration: v.duration, CompositionOffset: composition, Key: v.flags&sampleNonSync == 0, Data: payload.take(int(v.size)),
		}
		if r.err != nil || payload.err != nil {
			return errShort
		}
		f.Samples = append(f.Samples, s)
	}
	return nil
}
