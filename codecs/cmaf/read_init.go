package cmaf

import (
	"errors"
	"fmt"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/aac"
	"github.com/venuecast/venuecast/codecs/av1"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/h265"
)

// InitInfo is what an init section says.
type InitInfo struct {
	TrackID       uint32
	Timescale     uint32
	Codec         codecs.Codec // H264, H265, AV1, AAC or Opus
	Codecs        string       // RFC 6381, derived from the parameter sets
	Width, Height int          // video: in coded samples, after cropping
	ParameterSets []byte       // video: Annex B
	Colour        codecs.Colour
	SampleRate    int    // audio: in Hz, as put out
	Channels      int    // audio
	Config        []byte // audio: AudioSpecificConfig, or the identification header of Opus (RFC 7845 §5.1)
	Bitrate       int64  // in bit/s; 0: not said
}

// maxInit bounds an init section: parameter sets are small.
const maxInit = 1 << 20

// ParseInit reads an init section of one track: avc1, hvc1, av01, mp4a or Opus.
func ParseInit(data []byte) (InitInfo, error) {
	if len(data) > maxInit {
		return InitInfo{}, fmt.Errorf("reading an init section: %d bytes, want at most %d", len(data), maxInit)
	}
	info, err := readInit(data)
	if err != nil {
		return InitInfo{}, fmt.Errorf("reading an init section: %w", err)
	}
	return info, nil
}

func readInit(data []byte) (InitInfo, error) {
	if _, err := find(data, "ftyp"); err != nil {
		return InitInfo{}, err
	}
	moov, err := only(data, "moov")
	if err != nil {
		return InitInfo{}, err
	}
	if _, err = find(moov, "mvex", "trex"); err != nil { // else it is a file of its own
		return InitInfo{}, err
	}
	trak, err := only(moov, "trak")
	if err != nil {
		return InitInfo{}, err
	}
	var info InitInfo
	if info.TrackID, err = readNumber(trak, "tkhd"); err != nil {
		return InitInfo{}, err
	}
	if info.Timescale, err = readNumber(trak, "mdia", "mdhd"); err != nil {
		return InitInfo{}, err
	}
	stsd, err := find(trak, "mdia", "minf", "stbl", "stsd")
	if err != nil {
		return InitInfo{}, err
	}
	return info, readDescription(&info, stsd)
}

// readNumber reads the number after the two times that begin tkhd (track_ID) and mdhd (timescale):
// ISO/IEC 14496-12 §8.3.2.2, §8.4.2.2. It is never 0.
func readNumber(data []byte, path ...string) (uint32, error) {
	body, err := find(data, path...)
	if err != nil {
		return 0, err
	}
	r := reader{data: body}
	times := 8
	if version, _ := r.full(); version == 1 {
		times = 16
	}
	r.take(times)
	n := r.u32()
	if r.err == nil && n == 0 {
		r.err = errors.New("track id or timescale is 0")
	}
	return n, r.err
}

func readDescription(info *InitInfo, stsd []byte) error {
	r := reader{data: stsd}
	r.full()
	if n := r.u32(); r.err != nil || n != 1 {
		return fmt.Errorf("%d sample descriptions: want one", n)
	}
	entry, _, err := boxAt(r.data, 0)
	if err != nil {
		return err
	}
	switch entry.kind {
	case "avc1":
		info.Codec = codecs.H264
		return readVideo(info, entry.body, "avcC", readAVC)
	case "hvc1":
		info.Codec = codecs.H265
		return readVideo(info, entry.body, "hvcC", readHEVC)
	case "av01":
		info.Codec = codecs.AV1
		return readVideo(info, entry.body, "av1C", readAV1)
	case "mp4a":
		info.Codec = codecs.AAC
		return readAudio(info, entry.body)
	case opusEntry:
		return readOpus(info, entry.body)
	}
	return fmt.Errorf("sample entry %q: want avc1, hvc1, av01, mp4a or Opus", entry.kind)
}

// The lengths of sample entries before their boxes (ISO/IEC 14496-12 §12.1.3.2, §12.2.3.2).
const (
	visualEntry = 78
	audioEntry0 = 28
)

func readVideo(info *InitInfo, entry []byte, kind string, read func(*InitInfo, []byte) error) error {
	r := reader{data: entry}
	r.take(24)
	info.Width, info.Height = r.u16(), r.u16()
	r.take(visualEntry - 28)
	if r.err != nil {
		return r.err
	}
	if err := readBitrate(info, r.data); err != nil {
		return err
	}
	record, err := find(r.data, kind)
	if err != nil {
		return err
	}
	return read(info, record)
}

func readBitrate(info *InitInfo, children []byte) error {
	for b, err := range boxes(children) {
		if err != nil {
			return err
		}
		if b.kind == "btrt" {
			r := reader{data: b.body}
			r.take(8)
			info.Bitrate = int64(r.u32())
			return r.err
		}
	}
	return nil
}

// readAVC reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1.2).
func readAVC(info *InitInfo, record []byte) (err error) {
	r := reader{data: record}
	r.take(4)
	if length := r.u8() & 3; length != 3 {
		return fmt.Errorf("avcC: lengths of %d bytes, want 4", length+1)
	}
	units := readUnits(&r, r.u8()&0x1f)
	if len(units) == 0 {
		return errors.New("avcC: no SPS")
	}
	if info.Codecs, err = h264.Codecs(units...); err != nil {
		return err
	}
	if sps, err := h264.ParseSPS(units[0]); err == nil {
		info.Colour = sps.Colour
	}
	units = append(units, readUnits(&r, r.u8())...)
	info.ParameterSets = h264.AnnexB(units)
	return r.err
}

// readHEVC reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1.2).
func readHEVC(info *InitInfo, record []byte) error {
	r := reader{data: record}
	r.take(21)
	if length := r.u8() & 3; length != 3 {
		return fmt.Errorf("hvcC: lengths of %d bytes, want 4", length+1)
	}
	var units [][]byte
	for range r.u8() {
		r.u8() // array_completeness, NAL_unit_type
		units = append(units, readUnits(&r, r.u16())...)
	}
	if r.err != nil {
		return r.err
	}
	for _, u := range units {
		if name, err := h265.Codecs(u); err == nil {
			info.Codecs, info.ParameterSets = name, h265.AnnexB(units)
			if sps, err := h265.ParseSPS(u); err == nil {
				info.Colour = sps.Colour
			}
			return nil
		}
	}
	return errors.New("hvcC: no SPS")
}

// readAV1 reads an AV1CodecConfigurationRecord (AV1 Codec ISO Media File Format Binding §2.3.3).
func readAV1(info *InitInfo, record []byte) error {
	if len(record) < 4 {
		return errors.New("av1C: too short")
	}
	c, err := av1.ParseConfig(record[4:])
	if err != nil {
		return fmt.Errorf("av1C: %w", err)
	}
	info.Codecs, info.ParameterSets, info.Colour = c.Codecs, c.Record.ConfigOBUs, c.Info.Colour
	return nil
}

func readUnits(r *reader, n int) [][]byte {
	var units [][]byte
	for range n {
		u := r.take(r.u16())
		if r.err != nil {
			return nil
		}
		units = append(units, u)
	}
	return units
}

// audioBoxes reads what all AudioSampleEntries have (ISO 14496-12 §12.2.3), and returns the boxes behind the fixed fields.
func audioBoxes(info *InitInfo, entry []byte) ([]byte, error) {
	r := reader{data: entry}
	r.take(audioEntry0)
	if r.err != nil {
		return nil, r.err
	}
	return r.data, readBitrate(info, r.data)
}

func readAudio(info *InitInfo, entry []byte) error {
	boxes, err := audioBoxes(info, entry)
	if err != nil {
		return err
	}
	esds, err := find(boxes, "esds")
	if err != nil {
		return err
	}
	if info.Config, err = readESDS(esds); err != nil {
		return fmt.Errorf("esds: %w", err)
	}
	c, err := aac.Parse(info.Config)
	if err != nil {
		return err
	}
	info.Codecs, info.SampleRate, info.Channels = c.Codecs(), c.OutputRate, c.Channels
	return nil
}

// The descriptor tags of ISO/IEC 14496-1 §7.2.2.1.
const (
	tagES       = 3
	tagDecoder  = 4
	tagSpecific = 5
)

// readESDS returns the DecoderSpecificInfo: ES_Descriptor, DecoderConfigDescriptor, DecoderSpecificInfo, one in another
// (ISO/IEC 14496-14 §5.6). Optional fields of ES_Descriptor are not used in files.
func readESDS(body []byte) ([]byte, error) {
	r := reader{data: body}
	r.full()
	es := reader{data: descriptor(&r, tagES)}
	es.take(3)
	decoder := reader{data: descriptor(&es, tagDecoder)}
	decoder.take(13)
	return descriptor(&decoder, tagSpecific), errors.Join(r.err, es.err, decoder.err)
}

// descriptor reads a descriptor; its length comes in up to four groups of seven bits (ISO/IEC 14496-1 §8.3.3).
func descriptor(r *reader, tag int) []byte {
	if r.u8() != tag {
		r.err = errors.Join(r.err, fmt.Errorf("descriptor %d is missing", tag))
		return nil
	}
	size := 0
	for range 4 {
		b := r.u8()
		size = size<<7 | b&0x7f
		if b&0x80 == 0 {
			break
		}
	}
	return r.take(size)
}
