package clip

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"

	"github.com/venuecast/venuecast/codecs"
)

// movieScale is the timescale of the movie: edits last a whole number of ticks.
const movieScale = codecs.TicksPerSecond

// maxSmall is the most media whose offsets surely fit into 32 bits: tables take far less than the rest.
const maxSmall = math.MaxUint32 - 256<<20

// encodeHead writes all up to the media: ftyp, moov and the header of mdat.
func encodeHead(tracks []*track, cut Cut, media int64) ([]byte, error) {
	large := media > maxSmall
	moov := newMovie(tracks, cut, large)
	ftyp := mp4.NewFtyp("isom", 0x200, []string{"isom", "iso2", "mp41"})
	mdat := mdatHeader(media)
	// The tables' size does not depend on the offsets in them.
	size := int64(ftyp.Size()+moov.Size()) + int64(len(mdat))
	for i, t := range tracks {
		stbl := moov.Traks[i].Mdia.Minf.Stbl
		for j, c := range t.chunks {
			if large {
				stbl.Co64.ChunkOffset[j] = uint64(size + c.offset)
			} else {
				stbl.Stco.ChunkOffset[j] = uint32(size + c.offset)
			}
		}
	}
	w := bits.NewFixedSliceWriter(int(size) - len(mdat))
	if err := ftyp.EncodeSW(w); err != nil {
		return nil, fmt.Errorf("ftyp: %w", err)
	}
	if err := moov.EncodeSW(w); err != nil {
		return nil, fmt.Errorf("moov: %w", err)
	}
	return append(w.Bytes(), mdat...), nil
}

// mdatHeader writes a box header, with a large size where it must be (ISO/IEC 14496-12 §4.2.2).
func mdatHeader(media int64) []byte {
	if media+8 <= math.MaxUint32 {
		return append(binary.BigEndian.AppendUint32(nil, uint32(media+8)), "mdat"...)
	}
	return binary.BigEndian.AppendUint64([]byte("\x00\x00\x00\x01mdat"), uint64(media+16))
}

func newMovie(tracks []*track, cut Cut, large bool) *mp4.MoovBox {
	moov := mp4.NewMoovBox()
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale, mvhd.NextTrackID = movieScale, uint32(len(tracks)+1)
	if !cut.Created.IsZero() {
		mvhd.SetCreationTimeS(cut.Created.Unix())
		mvhd.SetModificationTimeS(cut.Created.Unix())
	}
	moov.AddChild(mvhd)
	for i, t := range tracks {
		t.id = uint32(i + 1)
		trak := t.encode(large)
		mvhd.Duration = max(mvhd.Duration, trak.Tkhd.Duration)
		moov.AddChild(trak)
	}
	return moov
}

// encode returns the track's boxes. What describes it is taken from its init section.
func (t *track) encode(large bool) *mp4.TrakBox {
	var lowest, total int64
	for i, s := range t.samples {
		lowest = min(lowest, s.composition)
		total += t.delta(i)
	}
	trak := mp4.NewTrakBox()
	tkhd := t.box.Tkhd
	wait, shown := t.toMovie(t.wait), t.toMovie(t.end-t.start)
	tkhd.TrackID, tkhd.Duration = t.id, wait+shown
	trak.AddChild(tkhd)

	elst := &mp4.ElstBox{Version: 1}
	if t.wait > 0 {
		elst.Entries = append(elst.Entries, mp4.ElstEntry{SegmentDuration: wait, MediaTime: -1, MediaRateInteger: 1})
	}
	// Composition offsets are written without signs, which every reader knows; the edit takes the shift back.
	begin := t.start - t.samples[0].decode - lowest
	elst.Entries = append(elst.Entries, mp4.ElstEntry{SegmentDuration: shown, MediaTime: begin, MediaRateInteger: 1})
	edts := &mp4.EdtsBox{}
	edts.AddChild(elst)
	trak.AddChild(edts)

	mdia, old := mp4.NewMdiaBox(), t.box.Mdia
	old.Mdhd.Duration = uint64(total)
	if old.Mdhd.Duration > math.MaxUint32 {
		old.Mdhd.Version = 1
	}
	mdia.AddChild(old.Mdhd)
	mdia.AddChild(old.Hdlr)
	minf := mp4.NewMinfBox()
	for _, child := range old.Minf.Children {
		if child.Type() != "stbl" {
			minf.AddChild(child)
		}
	}
	minf.AddChild(t.tables(lowest, large))
	mdia.AddChild(minf)
	trak.AddChild(mdia)
	return trak
}

func (t *track) toMovie(d int64) uint64 {
	return uint64(codecs.MulDivRound(d, movieScale, t.timescale))
}

// tables returns the sample tables (ISO/IEC 14496-12 §8.5 to §8.7).
func (t *track) tables(lowest int64, large bool) *mp4.StblBox {
	stsd := mp4.NewStsdBox()
	for _, e := range t.entries {
		stsd.AddChild(e)
	}
	stts, stss, stsz := &mp4.SttsBox{}, &mp4.StssBox{}, &mp4.StszBox{SampleNumber: uint32(len(t.samples))}
	ctts, composed := &mp4.CttsBox{EndSampleNr: []uint32{0}}, false
	for i, s := range t.samples {
		delta, offset := uint32(t.delta(i)), int32(s.composition-lowest)
		if n := len(stts.SampleTimeDelta); n > 0 && stts.SampleTimeDelta[n-1] == delta {
			stts.SampleCount[n-1]++
		} else {
			stts.SampleCount, stts.SampleTimeDelta = append(stts.SampleCount, 1), append(stts.SampleTimeDelta, delta)
		}
		if n := len(ctts.SampleOffset); n > 0 && ctts.SampleOffset[n-1] == offset {
			ctts.EndSampleNr[n]++
		} else {
			ctts.SampleOffset, ctts.EndSampleNr = append(ctts.SampleOffset, offset), append(ctts.EndSampleNr, uint32(i+1))
		}
		composed = composed || offset != 0
		if s.key {
			stss.SampleNumber = append(stss.SampleNumber, uint32(i+1))
		}
		stsz.SampleSize = append(stsz.SampleSize, s.size)
	}
	stbl := mp4.NewStblBox()
	stbl.AddChild(stsd)
	stbl.AddChild(stts)
	if composed {
		stbl.AddChild(ctts)
	}
	if len(stss.SampleNumber) < len(t.samples) { // else all are sync samples (§8.6.2.1)
		stbl.AddChild(stss)
	}
	if old := t.box.Mdia.Minf.Stbl; old.Sgpd != nil && old.Sgpd.GroupingType == "roll" {
		stbl.AddChild(old.Sgpd)
		stbl.AddChild(&mp4.SbgpBox{
			GroupingType: "roll", SampleCounts: []uint32{uint32(len(t.samples))}, GroupDescriptionIndices: []uint32{1},
		})
	}
	stbl.AddChild(t.chunkTable())
	stbl.AddChild(stsz)
	if large {
		stbl.AddChild(&mp4.Co64Box{ChunkOffset: make([]uint64, len(t.chunks))})
	} else {
		stbl.AddChild(&mp4.StcoBox{ChunkOffset: make([]uint32, len(t.chunks))})
	}
	return stbl
}

func (t *track) chunkTable() *mp4.StscBox {
	stsc := &mp4.StscBox{}
	samples := uint32(1)
	for i, c := range t.chunks {
		if i > 0 && c.samples == t.chunks[i-1].samples && c.entry == t.chunks[i-1].entry {
			samples += uint32(c.samples)
			continue
		}
		stsc.Entries = append(stsc.Entries, mp4.StscEntry{
			FirstChunk: uint32(i + 1), SamplesPerChunk: uint32(c.samples), FirstSampleNr: samples,
		})
		stsc.SampleDescriptionID = append(stsc.SampleDescriptionID, uint32(c.entry+1))
		samples += uint32(c.samples)
	}
	return stsc
}
