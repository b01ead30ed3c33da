package clip_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	"github.com/venuecast/venuecast/codecs/opus"
	"github.com/venuecast/venuecast/pipeline/clip"
)

// The media begin long after zero, as a feed's do.
const (
	firstMSN = 1_000_000
	frame    = 3600 // ticks: 25 pictures a second
	perPart  = 8
	perSeg   = 6 * perPart
)

func videoInit(t *testing.T, bitrate int64) []byte {
	sps, err := hex.DecodeString("6742c01ed900a02ff97011000003000100000300320f162e48")
	require.NoError(t, err)
	pps, err := hex.DecodeString("68cb83cb20")
	require.NoError(t, err)
	data, _, err := cmaf.VideoInit(cmaf.VideoTrack{
		Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{sps, pps}), Bitrate: bitrate,
	})
	require.NoError(t, err)
	return data
}

func audioInit(t *testing.T) []byte {
	data, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}})
	require.NoError(t, err)
	return data
}

func segment(init, data []byte) clip.Segment {
	return clip.Segment{Init: init, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// order is how the pictures of a part are decoded: B-pictures after the one they look ahead to.
var order = [perPart]int64{0, 3, 1, 2, 6, 4, 5, 7}

// picture names a picture by its number.
func picture(k int64) []byte { return append(fmt.Appendf(nil, "picture %d", k), make([]byte, k%7)...) }

func video(init []byte, msn int64) clip.Segment {
	var data []byte
	for part := range int64(6) {
		begin := msn*perSeg + part*perPart
		f := cmaf.Fragment{BaseTime: uint64(begin * frame)}
		for i, o := range order {
			f.Samples = append(f.Samples, cmaf.Sample{
				Duration: frame, CompositionOffset: int32((o - int64(i)) * frame), Key: part == 0 && i == 0, Data: picture(begin + o),
			})
		}
		data = f.Append(data)
	}
	return segment(init, data)
}

// sound has 90 frames of AAC in a segment: 48 kHz and 25 pictures a second meet exactly.
func sound(init []byte, msn int64) clip.Segment {
	f := cmaf.Fragment{BaseTime: uint64(msn * 90 * 1024)}
	for i := range int64(90) {
		f.Samples = append(f.Samples, cmaf.Sample{Duration: 1024, Key: true, Data: fmt.Appendf(nil, "sound %d", msn*90+i)})
	}
	return segment(init, f.Marshal())
}

// cut returns a clip of segments that begin with firstMSN; from and to count from there.
func cut(t *testing.T, segments int64, from, to time.Duration) clip.Cut {
	video0, audio0 := videoInit(t, 0), audioInit(t)
	zero := codecs.Ticks(firstMSN * perSeg * frame)
	c := clip.Cut{From: zero + codecs.TicksIn(from), To: zero + codecs.TicksIn(to), Sources: make([]clip.Source, 2)}
	for i := range segments {
		c.Sources[0].Segments = append(c.Sources[0].Segments, video(video0, firstMSN+i))
	}
	for i := int64(-1); i < segments; i++ {
		c.Sources[1].Segments = append(c.Sources[1].Segments, sound(audio0, firstMSN+i))
	}
	return c
}

func write(t *testing.T, c clip.Cut) []byte {
	file, err := clip.Read(t.Context(), c, nil)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, file.Write(t.Context(), &out, nil))
	require.EqualValues(t, out.Len(), file.Size())
	return out.Bytes()
}

// showing is one sample as a player shows it.
type showing struct {
	at   float64 // seconds from the start of the file
	last float64 // until then
	text string
	key  bool
}

// play reads a file with another library and returns what a player that honours edit lists shows of a track.
func play(t *testing.T, data []byte, track int) []showing {
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	require.NoError(t, err)
	moov := file.Moov
	trak := moov.Traks[track]
	stbl, scale := trak.Mdia.Minf.Stbl, float64(trak.Mdia.Mdhd.Timescale)
	edits := trak.Edts.Elst[0].Entries
	wait := 0.0
	if edits[0].MediaTime == -1 {
		wait = float64(edits[0].SegmentDuration) / float64(moov.Mvhd.Timescale)
		edits = edits[1:]
	}
	require.Len(t, edits, 1)
	begin := float64(edits[0].MediaTime) / scale
	end := wait + float64(edits[0].SegmentDuration)/float64(moov.Mvhd.Timescale)
	var shown []showing
	for n := uint32(1); n <= stbl.Stsz.SampleNumber; n++ {
		chunk, firstInChunk, err := stbl.Stsc.ChunkNrFromSampleNr(int(n))
		require.NoError(t, err)
		offset, err := stbl.Stco.GetOffset(chunk)
		require.NoError(t, err)
		for i := uint32(firstInChunk); i < n; i++ {
			offset += uint64(stbl.Stsz.GetSampleSize(int(i)))
		}
		decode, duration := stbl.Stts.GetDecodeTime(n)
		at := float64(decode)
		if stbl.Ctts != nil {
			at += float64(stbl.Ctts.GetCompositionTimeOffset(n))
		}
		s := showing{at: wait + at/scale - begin, key: stbl.Stss == nil || stbl.Stss.IsSyncSample(n)}
		s.last = s.at + float64(duration)/scale
		s.text = string(bytes.TrimRight(data[offset:offset+uint64(stbl.Stsz.GetSampleSize(int(n)))], "\x00"))
		if n == 1 {
			require.True(t, s.key, "decoding begins with a random access picture")
		}
		if s.last > wait+1e-9 && s.at < end-1e-9 {
			s.at, s.last = max(s.at, wait), min(s.last, end)
			shown = append(shown, s)
		}
	}
	return shown
}

func TestAClipBeginsAndEndsWithTheFrame(t *testing.T) {
	for _, c := range []struct{ from, to time.Duration }{
		{0, 1920 * time.Millisecond},
		{400 * time.Millisecond, 3 * time.Second},
		{1880 * time.Millisecond, 1960 * time.Millisecond},
		{2 * time.Second, 2040 * time.Millisecond},
		{40 * time.Millisecond, 5720 * time.Millisecond},
	} {
		data := write(t, cut(t, 3, c.from, c.to))
		pictures := map[float64]string{}
		for _, s := range play(t, data, 0) {
			pictures[s.at] = s.text
		}
		length := (c.to - c.from).Seconds()
		require.Len(t, pictures, int(length/0.04+.5), "%v", c)
		for at, text := range pictures {
			k := firstMSN*perSeg + int64((c.from.Seconds()+at)/0.04+.5)
			require.Equal(t, fmt.Sprintf("picture %d", k), text, "%v at %v", c, at)
		}
		sounds := play(t, data, 1)
		first := int64(firstMSN*90) + int64(c.from*48000/1024/time.Second)
		require.Equal(t, fmt.Sprintf("sound %d", first), sounds[0].text)
		require.InDelta(t, 0, sounds[0].at, 1e-4)
		require.InDelta(t, length, sounds[len(sounds)-1].last, 1e-4)
	}
}

func TestAnyCutShowsWhatItShould(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		from := random.Int64N(140)
		to := from + 1 + random.Int64N(143-from)
		data := write(t, cut(t, 3, time.Duration(from)*40*time.Millisecond, time.Duration(to)*40*time.Millisecond))
		shown := play(t, data, 0)
		require.Len(t, shown, int(to-from))
		for _, s := range shown {
			require.Equal(t, fmt.Sprintf("picture %d", firstMSN*perSeg+from+int64(s.at/0.04+.5)), s.text)
		}
	}
}

func TestTheFileBeginsWithItsTables(t *testing.T) {
	data := write(t, cut(t, 3, time.Second, 4*time.Second))
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	require.NoError(t, err)
	var kinds []string
	for _, box := range file.Children {
		kinds = append(kinds, box.Type())
	}
	require.Equal(t, []string{"ftyp", "moov", "mdat"}, kinds)
	require.Equal(t, 3*time.Second, time.Duration(file.Moov.Mvhd.Duration)*time.Second/time.Duration(file.Moov.Mvhd.Timescale))
	require.Nil(t, file.Moov.Mvex)
	for _, trak := range file.Moov.Traks {
		require.NotEmpty(t, trak.Mdia.Minf.Stbl.Stco.ChunkOffset)
	}
}

func TestAnotherLibraryReadsTheSameSamples(t *testing.T) {
	data := write(t, cut(t, 3, time.Second, 4*time.Second))
	var p pmp4.Presentation
	require.NoError(t, p.Unmarshal(bytes.NewReader(data)))
	require.Len(t, p.Tracks, 2)
	for i, track := range p.Tracks {
		require.NotEmpty(t, track.Samples)
		payload, err := track.Samples[0].GetPayload()
		require.NoError(t, err)
		require.Contains(t, string(payload), []string{"picture 48000000", "sound 90000045"}[i])
	}
}

func TestSoundBeginsOneFrameEarly(t *testing.T) {
	data := write(t, cut(t, 2, 0, time.Second))
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	require.NoError(t, err)
	elst := file.Moov.Traks[1].Edts.Elst[0].Entries
	require.EqualValues(t, 1024, elst[0].MediaTime, "the frame that primes the decoder is not heard")
	require.Contains(t, string(data), fmt.Sprintf("sound %d", firstMSN*90-1))
}

// Opus takes 80 ms to be right (RFC 7845 §4.6).
func TestOpusBeginsItsPreRollEarly(t *testing.T) {
	init, _, err := cmaf.AudioInit(cmaf.AudioTrack{
		Codec: codecs.Opus, Timescale: 48000, Config: opus.Config{Channels: 2, InputRate: 48000}.Marshal(),
	})
	require.NoError(t, err)
	c := cut(t, 2, 100*time.Millisecond, time.Second)
	c.Sources[1].Segments = nil
	for msn := int64(firstMSN - 1); msn < firstMSN+2; msn++ { // 96 frames a segment
		f := cmaf.Fragment{BaseTime: uint64(msn * 96 * 960), Roll: true}
		for i := range int64(96) {
			f.Samples = append(f.Samples, cmaf.Sample{Duration: 960, Key: true, Data: fmt.Appendf(nil, "sound %d", msn*96+i)})
		}
		c.Sources[1].Segments = append(c.Sources[1].Segments, segment(init, f.Marshal()))
	}
	data := write(t, c)
	heard := play(t, data, 1)
	require.Equal(t, fmt.Sprintf("sound %d", firstMSN*96+5), heard[0].text)
	require.InDelta(t, 0, heard[0].at, 1e-4)
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	require.NoError(t, err)
	trak := file.Moov.Traks[1]
	require.EqualValues(t, 4*960, trak.Edts.Elst[0].Entries[0].MediaTime, "what primes the decoder is not heard")
	stbl := trak.Mdia.Minf.Stbl
	require.Equal(t, "roll", stbl.Sgpd.GroupingType)
	require.Equal(t, []uint32{stbl.Stsz.SampleNumber}, stbl.Sbgp.SampleCounts)
}

func TestAMissingSegmentIsTheLastPictureHeld(t *testing.T) {
	c := cut(t, 4, time.Second, 7*time.Second)
	c.Sources[0].Segments = append(c.Sources[0].Segments[:1], c.Sources[0].Segments[2:]...)
	shown := play(t, write(t, c), 0)
	held := 0
	for _, s := range shown {
		if s.last-s.at > 0.1 {
			held++
			require.InDelta(t, 0.92, s.last-1.92, 1e-9)
			require.Equal(t, fmt.Sprintf("picture %d", firstMSN*perSeg+perSeg-1), s.text)
		}
	}
	require.Equal(t, 1, held)
}

func TestMediaThatBeginLateAreShownLate(t *testing.T) {
	c := cut(t, 3, time.Second, 4*time.Second)
	c.Sources[0].Segments = c.Sources[0].Segments[1:]
	data := write(t, c)
	require.InDelta(t, 0.92, play(t, data, 0)[0].at, 1e-4)
	require.InDelta(t, 0, play(t, data, 1)[0].at, 1e-4)
}

func TestOtherCodingIsAnotherSampleDescription(t *testing.T) {
	c := cut(t, 3, 0, 5*time.Second)
	c.Sources[0].Segments[1] = video(videoInit(t, 900_000), firstMSN+1)
	file, err := mp4.DecodeFile(bytes.NewReader(write(t, c)))
	require.NoError(t, err)
	stbl := file.Moov.Traks[0].Mdia.Minf.Stbl
	require.Len(t, stbl.Stsd.Children, 2)
	for chunk, want := range []uint32{1, 2, 1} {
		require.Equal(t, want, stbl.Stsc.GetSampleDescriptionID(chunk+1))
	}
}

func TestATrackWithoutMediaIsLeftOut(t *testing.T) {
	c := cut(t, 2, time.Second, 2*time.Second)
	c.Sources[0].Segments = nil
	file, err := mp4.DecodeFile(bytes.NewReader(write(t, c)))
	require.NoError(t, err)
	require.Len(t, file.Moov.Traks, 1)
	require.EqualValues(t, 1, file.Moov.Traks[0].Tkhd.TrackID)
}

func TestWhatCanNotBeCutIsAnError(t *testing.T) {
	for name, change := range map[string]func(*clip.Cut){
		"turned around": func(c *clip.Cut) { c.From, c.To = c.To, c.From },
		"before":        func(c *clip.Cut) { c.From, c.To = 0, 90000 },
		"no sources":    func(c *clip.Cut) { c.Sources = nil },
		"not media":     func(c *clip.Cut) { c.Sources[0].Segments[0] = segment(videoInit(t, 0), []byte("not media")) },
		"no init":       func(c *clip.Cut) { c.Sources[0].Segments[0].Init = []byte("x") },
		"out of order": func(c *clip.Cut) {
			s := c.Sources[0].Segments
			s[0], s[1] = s[1], s[0]
		},
	} {
		c := cut(t, 2, 0, time.Second)
		change(&c)
		_, err := clip.Read(t.Context(), c, nil)
		require.Error(t, err, name)
	}
}

func TestMediaThatChangeMeanwhileAreAnError(t *testing.T) {
	c := cut(t, 1, 0, time.Second)
	opened := 0
	whole := c.Sources[0].Segments[0].Open
	other := video(videoInit(t, 0), firstMSN+100).Open
	c.Sources[0].Segments[0].Open = func() (io.ReadCloser, error) {
		opened++
		if opened > 1 {
			return other()
		}
		return whole()
	}
	file, err := clip.Read(t.Context(), c, nil)
	require.NoError(t, err)
	require.ErrorIs(t, file.Write(t.Context(), io.Discard, nil), clip.ErrChanged)
}

func TestWorkEndsWithItsContextAndTellsHowFarItIs(t *testing.T) {
	var told []float64
	file, err := clip.Read(t.Context(), cut(t, 3, 0, 5*time.Second), func(part float64) { told = append(told, part) })
	require.NoError(t, err)
	require.InDelta(t, 1, told[len(told)-1], 1e-9)
	require.IsIncreasing(t, told)

	gone := errors.New("the origin ends")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	require.ErrorIs(t, file.Write(ctx, io.Discard, nil), gone)
	_, err = clip.Read(ctx, cut(t, 3, 0, 5*time.Second), nil)
	require.ErrorIs(t, err, gone)
}
