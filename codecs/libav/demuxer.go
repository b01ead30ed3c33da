//go:build cgo

package libav

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/asticode/go-astiav"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/nal"
)

// DemuxTrack describes one track of a file.
type DemuxTrack struct {
	Format        codecs.Format
	Width, Height int             // video only, in pixels
	FrameRate     codecs.Rational // video only; zero if the file does not say
}

// Demuxer reads the video and audio tracks of a file in the order in which they lie there.
// Tracks in other codecs than those of package codecs are left out.
type Demuxer struct {
	format *astiav.FormatContext
	packet *astiav.Packet
	start  codecs.Ticks
	tracks []*demuxTrack
	byFile map[int]int // the file's stream index to our track
}

type demuxTrack struct {
	DemuxTrack
	timeBase codecs.Rational                // seconds per tick of the file
	filter   *astiav.BitStreamFilterContext // video: to Annex B
}

var demuxCodecs = map[astiav.CodecID]codecs.Codec{
	astiav.CodecIDH264: codecs.H264, astiav.CodecIDHevc: codecs.H265, astiav.CodecIDAac: codecs.AAC,
	astiav.CodecIDPcmAlaw: codecs.PCMA, astiav.CodecIDPcmMulaw: codecs.PCMU, astiav.CodecIDAdpcmG722: codecs.G722,
	astiav.CodecIDOpus: codecs.Opus, astiav.CodecIDMp2: codecs.MPEG2, astiav.CodecIDMp3: codecs.MPEG2,
	astiav.CodecIDAc3: codecs.AC3, astiav.CodecIDPcmS16Be: codecs.L16,
}

// OpenFile opens a local media file: MP4, Matroska and others whose AAC comes with an AudioSpecificConfig. Close must be called.
func OpenFile(path string) (*Demuxer, error) {
	d := &Demuxer{format: astiav.AllocFormatContext(), byFile: map[int]int{}}
	if d.format == nil {
		return nil, errors.New("out of memory")
	}
	// "file:" keeps a path with a colon from being taken for a URL. On failure avformat_open_input frees the context.
	if err := d.format.OpenInput("file:"+path, nil, nil); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	count(kindDemuxer, 1)
	d.packet = astiav.AllocPacket()
	count(kindPacket, 1)
	if err := d.open(); err != nil {
		d.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return d, nil
}

func (d *Demuxer) open() error {
	if err := d.format.FindStreamInfo(nil); err != nil {
		return fmt.Errorf("finding its tracks: %w", err)
	}
	for _, s := range d.format.Streams() {
		if err := d.addTrack(s); err != nil {
			return fmt.Errorf("track %d: %w", s.Index(), err)
		}
	}
	if len(d.tracks) == 0 {
		return errors.New("no track in a known codec")
	}
	if start := d.format.StartTime(); start != noPTS {
		d.start = codecs.Ticks(codecs.MulDivRound(start, codecs.TicksPerSecond, 1_000_000)) // AV_TIME_BASE
	}
	return nil
}

func (d *Demuxer) addTrack(s *astiav.Stream) error {
	par := s.CodecParameters()
	codec, known := demuxCodecs[par.CodecID()]
	if !known {
		s.SetDiscard(astiav.DiscardAll)
		return nil
	}
	t := &demuxTrack{timeBase: codecs.Rational{Num: int64(s.TimeBase().Num()), Den: int64(s.TimeBase().Den())}}
	t.Format.Codec = codec
	if codec.Kind() == codecs.Audio {
		t.Format.SampleRate, t.Format.Channels = par.SampleRate(), par.ChannelLayout().Channels()
	}
	if codec == codecs.AAC {
		if t.Format.Config = par.ExtraData(); len(t.Format.Config) == 0 {
			return errors.New("aac without an AudioSpecificConfig")
		}
	}
	if codec.Kind() == codecs.Video {
		rate := d.format.GuessFrameRate(s, nil)
		t.Width, t.Height = par.Width(), par.Height()
		t.FrameRate = codecs.NewRational(int64(rate.Num()), int64(rate.Den()))
		if err := t.openFilter(s); err != nil {
			return err
		}
	}
	d.byFile[s.Index()] = len(d.tracks)
	d.tracks = append(d.tracks, t)
	return nil
}

// openFilter opens the filter that makes Annex B of length-prefixed units, with parameter sets before each random access picture.
func (t *demuxTrack) openFilter(s *astiav.Stream) error {
	name := map[codecs.Codec]string{codecs.H264: "h264_mp4toannexb", codecs.H265: "hevc_mp4toannexb"}[t.Format.Codec]
	f := astiav.FindBitStreamFilterByName(name)
	if f == nil {
		return fmt.Errorf("%s: %w", name, errNotBuilt)
	}
	ctx, err := astiav.AllocBitStreamFilterContext(f)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	ctx.SetInputTimeBase(s.TimeBase())
	err = s.CodecParameters().Copy(ctx.InputCodecParameters())
	if err == nil {
		err = ctx.Initialize()
	}
	if err != nil {
		ctx.Free()
		return fmt.Errorf("%s: %w", name, err)
	}
	count(kindFilter, 1)
	t.filter = ctx
	return nil
}

// Tracks describes the tracks; Next counts them in this order.
func (d *Demuxer) Tracks() []DemuxTrack {
	tracks := make([]DemuxTrack, len(d.tracks))
	for i, t := range d.tracks {
		tracks[i] = t.DemuxTrack
	}
	return tracks
}

// Next returns the next access unit of any track, with its PTS and DTS counted from the start of the file.
// At the end of the file the error is io.EOF.
func (d *Demuxer) Next() (track int, au codecs.AccessUnit, dts codecs.Ticks, err error) {
	for {
		d.packet.Unref()
		if err := d.format.ReadFrame(d.packet); errors.Is(err, astiav.ErrEof) {
			return 0, au, 0, io.EOF
		} else if err != nil {
			return 0, au, 0, fmt.Errorf("reading the file: %w", err)
		}
		track, known := d.byFile[d.packet.StreamIndex()]
		if !known {
			continue
		}
		au, dts, err := d.unit(d.tracks[track])
		return track, au, dts, err
	}
}

// unit makes an access unit of the packet that was read.
func (d *Demuxer) unit(t *demuxTrack) (codecs.AccessUnit, codecs.Ticks, error) {
	if t.filter != nil {
		// These filters put out one packet for each.
		if err := t.filter.SendPacket(d.packet); err != nil {
			return codecs.AccessUnit{}, 0, fmt.Errorf("making Annex B: %w", err)
		}
		if err := t.filter.ReceivePacket(d.packet); err != nil {
			return codecs.AccessUnit{}, 0, fmt.Errorf("making Annex B: %w", err)
		}
	}
	pts, dts := d.packet.Pts(), d.packet.Dts()
	if pts == noPTS || dts == noPTS {
		return codecs.AccessUnit{}, 0, errors.New("the file has no time for an access unit")
	}
	au := codecs.AccessUnit{
		PTS:          d.ticks(t, pts),
		RandomAccess: d.packet.Flags().Has(astiav.PacketFlagKey) || t.Format.Codec.Kind() == codecs.Audio,
		Data:         d.packet.Data(),
	}
	if t.filter != nil {
		// libav's filters write three-byte start codes too.
		au.Data = nal.AnnexB(slices.Collect(nal.Units(au.Data)))
	}
	return au, d.ticks(t, dts), nil
}

func (d *Demuxer) ticks(t *demuxTrack, v int64) codecs.Ticks {
	return codecs.Ticks(codecs.MulDivRound(v, codecs.TicksPerSecond*t.timeBase.Num, t.timeBase.Den)) - d.start
}

// Close closes the file. A second Close does nothing.
func (d *Demuxer) Close() {
	if d.packet == nil {
		return
	}
	for _, t := range d.tracks {
		if t.filter != nil {
			t.filter.Free()
			count(kindFilter, -1)
		}
	}
	d.packet.Free()
	d.packet = nil
	count(kindPacket, -1)
	d.format.CloseInput()
	count(kindDemuxer, -1)
}
