package cmaf

import (
	"fmt"

	"github.com/Eyevinn/mp4ff/bits"
	"github.com/Eyevinn/mp4ff/mp4"
)

// brands of the init section: iso6 has default-base-is-moof, tfdt and signed composition offsets, cmfc is CMAF,
// cmf2 promises no edit list and no defaults in trex.
var brands = []string{"iso6", "cmfc", "cmf2"}

// newInit returns an init section with one empty track. Durations and creation times are zero.
func newInit(timescale uint32, media string) (*mp4.InitSegment, *mp4.TrakBox) {
	init := mp4.NewMP4Init()
	init.AddChild(mp4.NewFtyp(brands[0], 0, brands))
	moov := mp4.NewMoovBox()
	init.AddChild(moov)
	mvhd := mp4.CreateMvhd()
	mvhd.Timescale = timescale
	moov.AddChild(mvhd)
	moov.AddChild(mp4.NewMvexBox())
	trak := init.AddEmptyTrack(timescale, media, "und")
	trak.Mdia.Hdlr.Name = media
	moov.Children[1], moov.Children[2] = moov.Children[2], moov.Children[1] // mvhd, trak, mvex: as most writers have it
	return init, trak
}

func encode(init *mp4.InitSegment) ([]byte, error) {
	w := bits.NewFixedSliceWriter(int(init.Size()))
	if err := init.EncodeSW(w); err != nil {
		return nil, fmt.Errorf("encoding the boxes: %w", err)
	}
	return w.Bytes(), nil
}

// btrt says the bit rate. The decoder's buffer is that of a second.
func btrt(bitrate int64) *mp4.BtrtBox {
	rate := uint32(min(max(bitrate, 0), 1<<32-1))
	return &mp4.BtrtBox{BufferSizeDB: rate / 8, MaxBitrate: rate, AvgBitrate: rate}
}
