package cmaf_test

import (
	"bytes"
	"testing"

	"github.com/Eyevinn/mp4ff/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/stretchr/testify/require"

	vc "github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/opus"
)

var opusTrack = cmaf.AudioTrack{
	Codec: vc.Opus, Timescale: 48000, Config: opus.Config{Channels: 2, InputRate: 48000}.Marshal(), Bitrate: 96_000,
}

func TestOpusInitIsReadAlikeByAnotherLibrary(t *testing.T) {
	data, name, err := cmaf.AudioInit(opusTrack)
	require.NoError(t, err)
	require.Equal(t, "opus", name)
	requireTrack(t, data, 48000, &codecs.Opus{ChannelCount: 2})

	info, err := cmaf.ParseInit(data)
	require.NoError(t, err)
	require.Equal(t, cmaf.InitInfo{
		TrackID: 1, Timescale: 48000, Codec: vc.Opus, Codecs: name, SampleRate: 48000, Channels: 2,
		Config: opusTrack.Config, Bitrate: 96_000,
	}, info)
}

// The bytes are those of "Encapsulation of Opus in ISO Base Media File Format" §4.3: a box of 19 bytes, version 0, two channels,
// nothing to skip, 48000 Hz, no gain, mapping family 0; and a roll distance of -4 samples, 80 ms.
func TestOpusIsDescribedAsItsEncapsulationSays(t *testing.T) {
	data, _, err := cmaf.AudioInit(opusTrack)
	require.NoError(t, err)
	require.Contains(t, string(data), "\x00\x00\x00\x13dOps\x00\x02\x00\x00\x00\x00\xbb\x80\x00\x00\x00")
	require.Contains(t, string(data), "\x00\x00\x00\x1asgpd\x01\x00\x00\x00roll\x00\x00\x00\x02\x00\x00\x00\x01\xff\xfc")
	require.Contains(t, string(data), "\x00\x00\x00\x14sbgp\x00\x00\x00\x00roll\x00\x00\x00\x00")
}

func TestEachFragmentOfOpusNamesItsRollGroup(t *testing.T) {
	f := cmaf.Fragment{Sequence: 3, BaseTime: 1 << 33, Roll: true}
	for i := range 16 {
		f.Samples = append(f.Samples, cmaf.Sample{Duration: opus.FrameSamples, Key: true, Data: bytes.Repeat([]byte{9}, 200+i)})
	}
	data := f.Marshal()
	file, err := mp4.DecodeFile(bytes.NewReader(data))
	require.NoError(t, err)
	traf := file.Segments[0].Fragments[0].Moof.Traf
	require.Equal(t, &mp4.SbgpBox{GroupingType: "roll", SampleCounts: []uint32{16}, GroupDescriptionIndices: []uint32{1}}, traf.Sbgp)

	got, err := cmaf.ParseFragments(data)
	require.NoError(t, err)
	f.Roll = false
	require.Equal(t, []cmaf.FragmentInfo{{TrackID: cmaf.TrackID, Fragment: f}}, got)
}

func TestOpusThatCannotBeDescribedIsAnError(t *testing.T) {
	track := opusTrack
	track.Config = []byte{0x11, 0x90}
	_, _, err := cmaf.AudioInit(track)
	require.Error(t, err)
	data, _, err := cmaf.AudioInit(opusTrack)
	require.NoError(t, err)
	at := bytes.Index(data, []byte("dOps")) + 4
	for name, change := range map[string]func([]byte){
		"another version": func(b []byte) { b[at] = 1 },
		"six channels":    func(b []byte) { b[at+1] = 6 },
		"another mapping": func(b []byte) { b[at+10] = 1 },
		"no dOps":         func(b []byte) { b[at-1] = 'x' },
	} {
		broken := bytes.Clone(data)
		change(broken)
		_, err := cmaf.ParseInit(broken)
		require.Error(t, err, name)
	}
}
