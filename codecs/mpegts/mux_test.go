package mpegts_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/asticode/go-astits"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/h264"
	ours "github.com/venuecast/venuecast/codecs/mpegts"
)

// Segments of 1.92 s at 25 pictures a second, so that 90 frames of AAC meet them exactly.
const (
	frame    = 3600
	perSeg   = 48
	soundSeg = 90
	packet   = 188
	// wrapMSN is the segment in which 33 bits of time stamps are used up.
	wrapMSN = (1 << 33) / (perSeg * frame)
)

func videoInit(t testing.TB) []byte {
	sps, err := hex.DecodeString("6742c01ed900a02ff97011000003000100000300320f162e48")
	require.NoError(t, err)
	pps, err := hex.DecodeString("68cb83cb20")
	require.NoError(t, err)
	data, _, err := cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.H264, Timescale: 90000, ParameterSets: h264.AnnexB([][]byte{sps, pps})})
	require.NoError(t, err)
	return data
}

func soundInit(t testing.TB) []byte {
	data, _, err := cmaf.AudioInit(cmaf.AudioTrack{Timescale: 48000, Config: []byte{0x11, 0x90}})
	require.NoError(t, err)
	return data
}

// slice returns a NAL unit that tells its picture's number, as a sample.
func slice(k int64, size int) []byte {
	kind := byte(0x41)
	if k%perSeg == 0 {
		kind, size = 0x65, size*8
	}
	unit := append([]byte{kind}, fmt.Sprintf("picture %d ", k)...)
	unit = append(unit, bytes.Repeat([]byte{0x5a}, size)...)
	return append([]byte{byte(len(unit) >> 24), byte(len(unit) >> 16), byte(len(unit) >> 8), byte(len(unit))}, unit...)
}

// order is how four pictures are decoded, with a pyramid of B-pictures.
var order = [4]int64{0, 3, 1, 2}

func video(t testing.TB, msn int64, size int) ours.Track {
	f := cmaf.Fragment{BaseTime: uint64(msn * perSeg * frame)}
	for i := range int64(perSeg) {
		k := i/4*4 + order[i%4]
		f.Samples = append(f.Samples, cmaf.Sample{
			Duration: frame, CompositionOffset: int32((k - i) * frame), Key: i == 0, Data: slice(msn*perSeg+k, size+int(k*37)%211),
		})
	}
	return ours.Track{Init: videoInit(t), Data: f.Marshal()}
}

func sound(t testing.TB, msn int64, size int) ours.Track {
	f := cmaf.Fragment{BaseTime: uint64(msn * soundSeg * 1024)}
	for i := range int64(soundSeg) {
		data := append(fmt.Appendf(nil, "%03d", (msn*soundSeg+i)%1000), make([]byte, size)...)
		f.Samples = append(f.Samples, cmaf.Sample{Duration: 1024, Key: true, Data: data})
	}
	return ours.Track{Init: soundInit(t), Data: f.Marshal()}
}

func remux(t testing.TB, v, a ours.Track) []byte {
	out, err := ours.Segment{Video: v, Sound: a, Advance: 2 * frame}.Marshal()
	require.NoError(t, err)
	return out
}

// three returns segments that follow each other, each made by itself.
func three(t testing.TB, first int64, size int) []byte {
	var all []byte
	for msn := first; msn < first+3; msn++ {
		all = append(all, remux(t, video(t, msn, size), sound(t, msn, size/20))...)
	}
	return all
}

func pid(p []byte) int { return int(p[1]&0x1f)<<8 | int(p[2]) }

func TestPacketsAreWholeAndCountersRunOnFromSegmentToSegment(t *testing.T) {
	for _, size := range []int{1, 100, 1000, 20_000} {
		data := three(t, 1000, size)
		require.Zero(t, len(data)%packet)
		last := map[int]int{}
		for i := 0; i < len(data); i += packet {
			p := data[i:][:packet]
			require.Equal(t, byte(0x47), p[0])
			require.Zero(t, p[1]&0x80)
			id, n := pid(p), int(p[3]&15)
			before, seen := last[id]
			if !seen {
				before = 15
			}
			if p[3]&0x10 == 0 {
				require.Equal(t, before, n, "a packet without payload repeats the counter")
				continue
			}
			require.Equal(t, (before+1)%16, n, "packet %d of PID %d", i/packet, id)
			last[id] = n
		}
		require.Equal(t, map[int]int{0: 15, 0x1000: 15, 256: 15, 257: 15}, last)
	}
}

func TestASegmentBeginsWithItsTables(t *testing.T) {
	data := remux(t, video(t, 1000, 900), sound(t, 1000, 50))
	require.Equal(t, []int{0, 0x1000, 256}, []int{pid(data), pid(data[packet:]), pid(data[2*packet:])})
	require.NotZero(t, data[2*packet+5]&0x40, "random_access_indicator")
	pats, far, since := 0, 0, 0
	for p := range slices.Chunk(data, packet) {
		since++
		if pid(p) == 0 {
			pats, since = pats+1, 0
		}
		far = max(far, since)
	}
	require.Equal(t, 16, pats)
	require.Less(t, far, len(data)/packet/4)
}

// demux reads with go-astits, and returns what came on each PID.
func demux(t testing.TB, data []byte) map[uint16][]*astits.DemuxerData {
	pes := map[uint16][]*astits.DemuxerData{}
	d := astits.NewDemuxer(t.Context(), bytes.NewReader(data))
	for {
		x, err := d.NextData()
		if err != nil {
			require.ErrorIs(t, err, astits.ErrNoMorePackets)
			return pes
		}
		if x.PES != nil {
			pes[x.PID] = append(pes[x.PID], x)
		}
	}
}

func clocks(data []byte) (all []int64) {
	for p := range slices.Chunk(data, packet) {
		if p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x10 != 0 {
			all = append(all, int64(p[6])<<25|int64(p[7])<<17|int64(p[8])<<9|int64(p[9])<<1|int64(p[10])>>7)
		}
	}
	return all
}

// after returns b − a, of times in 33 bits.
func after(a, b int64) int64 { return (b-a+1<<32)&(1<<33-1) - 1<<32 }

func TestClockReferencesAreCloseAndAheadOfDecoding(t *testing.T) {
	for name, v := range map[string]ours.Track{"25 pictures a second": video(t, 1000, 900), "two": slow(t)} {
		t.Run(name, func(t *testing.T) {
			data := remux(t, v, sound(t, 1000, 50))
			all := clocks(data)
			for i := range all[1:] {
				step := after(all[i], all[i+1])
				require.Positive(t, step)
				require.LessOrEqual(t, step, int64(9000))
			}
			span := after(all[0], all[len(all)-1])
			require.Greater(t, span+9000, int64(perSeg*frame), "up to the end, where the next segment begins")
			pes := demux(t, data)
			for i, x := range pes[256] {
				ref := x.FirstPacket.AdaptationField.PCR
				require.NotNil(t, ref, "picture %d", i)
				h := x.PES.Header.OptionalHeader
				require.EqualValues(t, 9000, after(ref.Base, decoding(h)))
			}
		})
	}
}

func decoding(h *astits.PESOptionalHeader) int64 {
	if h.PTSDTSIndicator == astits.PTSDTSIndicatorBothPresent {
		return h.DTS.Base
	}
	return h.PTS.Base
}

// slow has four pictures of 480 ms.
func slow(t *testing.T) ours.Track {
	f := cmaf.Fragment{BaseTime: uint64(1000 * perSeg * frame)}
	for i := range int64(4) {
		f.Samples = append(f.Samples, cmaf.Sample{Duration: 12 * frame, Key: i == 0, Data: slice(1000*perSeg+i, 900)})
	}
	return ours.Track{Init: videoInit(t), Data: f.Marshal()}
}

func TestTimesAreThoseOfTheMedia(t *testing.T) {
	for _, msn := range []int64{1000, wrapMSN, 3*wrapMSN + 7} {
		pes := demux(t, remux(t, video(t, msn, 900), sound(t, msn, 50)))
		start := msn * perSeg * frame & (1<<33 - 1)
		require.Len(t, pes[256], perSeg)
		shown := map[int64]bool{}
		for i, x := range pes[256] {
			h := x.PES.Header.OptionalHeader
			at := after(start, h.PTS.Base)
			shown[at/frame] = true
			require.Zero(t, at%frame)
			require.GreaterOrEqual(t, after(decoding(h), h.PTS.Base), int64(0))
			require.Equal(t, int64(i-2)*frame, after(start, decoding(h)))
			require.Contains(t, string(x.PES.Data), fmt.Sprintf("picture %d ", msn*perSeg+at/frame))
			require.Zero(t, x.PES.Header.PacketLength)
			require.Equal(t, []byte{0, 0, 0, 1, 9, 0xf0}, x.PES.Data[:6], "the delimiter is first")
		}
		require.Len(t, shown, perSeg)
		require.Len(t, pes[257], soundSeg/5)
		for i, x := range pes[257] {
			require.EqualValues(t, i*5*1920, after(start, x.PES.Header.OptionalHeader.PTS.Base))
			require.EqualValues(t, 8+len(x.PES.Data), x.PES.Header.PacketLength)
		}
	}
}

func TestAnotherLibraryReadsTheSameUnits(t *testing.T) {
	data := three(t, 1000, 900)
	r := &mpegts.Reader{R: bytes.NewReader(data)}
	require.NoError(t, r.Initialize())
	r.OnDecodeError(func(err error) { require.NoError(t, err) })
	require.Len(t, r.Tracks(), 2)
	var pictures [][][]byte
	var frames [][]byte
	r.OnDataH264(r.Tracks()[0], func(_, _ int64, au [][]byte) error {
		pictures = append(pictures, au)
		return nil
	})
	r.OnDataMPEG4Audio(r.Tracks()[1], func(_ int64, aus [][]byte) error {
		frames = append(frames, aus...)
		return nil
	})
	for r.Read() == nil {
	}
	require.Len(t, pictures, 3*perSeg)
	for i, au := range pictures {
		want := []byte{0x41} // the reader leaves out the delimiter
		if i%perSeg == 0 {
			want = []byte{0x67, 0x68, 0x65}
		}
		var have []byte
		for _, u := range au {
			have = append(have, u[0])
		}
		require.Equal(t, want, have)
	}
	require.Len(t, frames, 3*soundSeg)
	for i, f := range frames {
		require.Equal(t, fmt.Sprintf("%03d", (1000*soundSeg+i)%1000), string(f[:3]))
	}
}

func TestSoundAloneCarriesTheClock(t *testing.T) {
	var data []byte
	for msn := int64(1000); msn < 1003; msn++ {
		data = append(data, remux(t, ours.Track{}, sound(t, msn, 6))...)
	}
	pes := demux(t, data)
	require.Len(t, pes, 1)
	require.Len(t, pes[256], 3*soundSeg/5)
	all := clocks(data)
	for i := range all[1:] {
		require.LessOrEqual(t, after(all[i], all[i+1]), int64(9000))
	}
}

func TestMissingSoundLeavesTheProgrammeAsItIs(t *testing.T) {
	with := remux(t, video(t, 1000, 900), sound(t, 1000, 50))
	without := remux(t, video(t, 1000, 900), ours.Track{Init: soundInit(t)})
	require.Equal(t, with[:2*packet], without[:2*packet])
}

func TestTheSameSegmentIsTheSameBytes(t *testing.T) {
	require.Equal(t, three(t, 5, 900), three(t, 5, 900))
}

func TestWhatCanNotBeMuxedIsAnError(t *testing.T) {
	v, a := video(t, 1000, 900), sound(t, 1000, 50)
	backwards := cmaf.Fragment{BaseTime: 0, Samples: []cmaf.Sample{{Duration: 1, Key: true, Data: slice(0, 9)}}}
	early := cmaf.Fragment{BaseTime: 90000, Samples: []cmaf.Sample{{Duration: frame, CompositionOffset: -3 * frame, Data: slice(0, 9)}}}
	late := cmaf.Fragment{BaseTime: 1 << 62, Samples: []cmaf.Sample{{Duration: frame, Data: slice(0, 9)}}}
	cutless := []cmaf.Sample{{Duration: frame, Data: slice(1, 9)}}
	cut := cmaf.Fragment{Samples: []cmaf.Sample{{Duration: frame, Data: []byte{0, 0, 0, 9, 1}}}}
	distant := cmaf.Fragment{BaseTime: 1000*perSeg*frame + 3600*90000, Samples: cutless}
	huge := cmaf.Fragment{Samples: []cmaf.Sample{{Duration: 1024, Data: make([]byte, 1<<13)}}}
	for name, tracks := range map[string][2]ours.Track{
		"nothing":            {},
		"no video":           {{Init: v.Init}, a},
		"no sound":           {{}, {Init: a.Init}},
		"broken video":       {{Init: v.Init, Data: v.Data[:len(v.Data)-10]}, a},
		"broken sound":       {v, {Init: a.Init, Data: a.Data[10:]}},
		"broken init":        {{Init: v.Init[:100], Data: v.Data}, a},
		"backwards":          {{Init: v.Init, Data: append(slices.Clone(v.Data), backwards.Marshal()...)}, a},
		"shown too early":    {{Init: v.Init, Data: early.Marshal()}, a},
		"beyond all time":    {{Init: v.Init, Data: late.Marshal()}, a},
		"a NAL unit cut off": {{Init: v.Init, Data: cut.Marshal()}, a},
		"an hour":            {{Init: v.Init, Data: append(slices.Clone(v.Data), distant.Marshal()...)}, a},
		"AV1":                {{Init: av1Init(t), Data: v.Data}, a},
		"a huge AAC frame":   {v, {Init: a.Init, Data: huge.Marshal()}},
	} {
		_, err := ours.Segment{Video: tracks[0], Sound: tracks[1], Advance: 2 * frame}.Marshal()
		require.Error(t, err, name)
	}
}

func av1Init(t *testing.T) []byte {
	header, err := hex.DecodeString("0a0b0000000cc4ff6700be0010")
	require.NoError(t, err)
	data, _, err := cmaf.VideoInit(cmaf.VideoTrack{Codec: codecs.AV1, Timescale: 90000, ParameterSets: header})
	require.NoError(t, err)
	return data
}

func FuzzSegment(f *testing.F) {
	v, a := video(f, 3, 20), sound(f, 3, 5)
	f.Add(v.Data, a.Data)
	f.Add(v.Data, []byte(nil))
	f.Add(a.Data, v.Data)
	f.Fuzz(func(t *testing.T, picture, samples []byte) {
		out, err := ours.Segment{
			Video: ours.Track{Init: v.Init, Data: picture}, Sound: ours.Track{Init: a.Init, Data: samples}, Advance: 2 * frame,
		}.Marshal()
		if err != nil {
			return
		}
		require.Zero(t, len(out)%packet)
		require.LessOrEqual(t, len(out), 2*packet*(len(picture)+len(samples))+1<<20)
		payloads := map[int]int{}
		for p := range slices.Chunk(out, packet) {
			require.Equal(t, byte(0x47), p[0])
			if p[3]&0x10 != 0 {
				require.Equal(t, payloads[pid(p)]%16, int(p[3]&15))
				payloads[pid(p)]++
			}
		}
		for id, n := range payloads {
			require.Zero(t, n%16, "PID %d", id)
		}
		demux(t, out)
	})
}

func BenchmarkSegment(b *testing.B) {
	v, a := video(b, 1000, 15_000), sound(b, 1000, 340) // about 3.2 Mbit/s and 128 kbit/s
	b.SetBytes(int64(len(v.Data) + len(a.Data)))
	b.ReportAllocs()
	for b.Loop() {
		remux(b, v, a)
	}
}
