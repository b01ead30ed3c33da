package cmaf

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// Sample is one coded picture or audio frame, in decoding order.
type Sample struct {
	Duration          uint32 // in the track's timescale
	CompositionOffset int32  // presentation time less decoding time; may be negative
	Key               bool   // a sync sample: decodable without earlier ones
	Data              []byte // length-prefixed NAL units, a raw AAC frame or an Opus packet
}

// Fragment is a run of samples of one track: a moof and its mdat.
type Fragment struct {
	Sequence uint32 // mfhd's sequence_number
	BaseTime uint64 // decoding time of the first sample, in the track's timescale
	Samples  []Sample
	// Roll says that the samples are of the roll group of the init section, as those of Opus are. It is not read back.
	Roll bool
}

// Duration returns the sum of the samples' durations, in the track's timescale.
func (f Fragment) Duration() uint64 {
	var d uint64
	for _, s := range f.Samples {
		d += uint64(s.Duration)
	}
	return d
}

// Marshal returns the fragment's bytes, together up to 4 GiB. It copies the samples' data once, into memory that was not
// cleared before.
func (f Fragment) Marshal() []byte { return bytes.Join(f.pieces(), nil) }

// Append appends the fragment's bytes to dst, in at most one allocation for them. It copies the samples' data.
func (f Fragment) Append(dst []byte) []byte {
	pieces, size := f.pieces(), 0
	for _, p := range pieces {
		size += len(p)
	}
	dst = slices.Grow(dst, size)
	for _, p := range pieces {
		dst = append(dst, p...)
	}
	return dst
}

// pieces returns the fragment's bytes: the boxes up to the data, and each sample's data.
func (f Fragment) pieces() [][]byte {
	pieces, data := make([][]byte, 1, 1+len(f.Samples)), 0
	for _, s := range f.Samples {
		pieces, data = append(pieces, s.Data), data+len(s.Data)
	}
	box := f.boxes()
	box.Mdat.SetLazyDataSize(uint64(data)) // only its header is written
	w := bits.NewFixedSliceWriter(int(box.Size()) - data)
	if err := box.EncodeSW(w); err != nil {
		panic(fmt.Sprintf("cmaf: the boxes of a fragment are larger than the %d bytes they said: %v", w.Capacity(), err))
	}
	pieces[0] = w.Bytes()
	return pieces
}

func (f Fragment) boxes() *mp4.Fragment {
	box, _ := mp4.CreateFragment(f.Sequence, TrackID) // it has no error to return
	for _, s := range f.Samples {
		box.AddSample(mp4.Sample{
			Flags: flags(s.Key), Dur: s.Duration, Size: uint32(len(s.Data)), CompositionTimeOffset: s.CompositionOffset,
		}, f.BaseTime)
	}
	traf := box.Moof.Traf
	traf.Tfdt.SetBaseMediaDecodeTime(f.BaseTime)
	traf.Tfdt.Version = 1 // 64 bit from the first fragment on, so that all are alike
	share(traf)
	if f.Roll {
		_ = traf.AddChild(rollGroupOf(len(f.Samples))) // it fails for a second trun only
	}
	return box
}

// share moves what all samples have in common from trun to tfhd.
func share(traf *mp4.TrafBox) {
	if err := traf.OptimizeTfhdTrun(); err != nil {
		return // no samples
	}
	if traf.Trun.Flags&mp4.TrunFirstSampleFlagsPresentFlag == 0 {
		return
	}
	// Some readers pass over first_sample_flags and take a part's IDR for a P-picture: each sample says its own.
	traf.Trun.RemoveFirstSampleFlags()
	traf.Trun.Flags |= mp4.TrunSampleFlagsPresentFlag
	traf.Tfhd.Flags &^= mp4.TfhdDefaultSampleFlagsPresentFlag
}

// flags returns sample_flags (ISO/IEC 14496-12 §8.8.3.1).
func flags(key bool) uint32 {
	if key {
		return mp4.SyncSampleFlags // sample_depends_on 2
	}
	return mp4.NonSyncSampleFlags | mp4.SampleDependsOn1
}
