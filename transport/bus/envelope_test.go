package bus

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// headerOf returns the headers of a record of this epoch.
func headerOf(epoch string) nats.Header { return nats.Header{epochHeader: {epoch}} }

// sampleRecords has one record of each sort, by name.
func sampleRecords() map[string]pipeline.Record {
	aac := codecs.Format{Codec: codecs.AAC, SampleRate: 48000, Channels: 2, Config: []byte{0x11, 0x90}}
	return map[string]pipeline.Record{
		"random_access": {Epoch: 7, Bundle: &codecs.Bundle{
			Format: codecs.Format{Codec: codecs.H264},
			Units:  []codecs.AccessUnit{{PTS: 153_000_000_000_000, RandomAccess: true, Data: []byte{0, 0, 0, 1, 0x65, 0x88}}},
		}},
		"delta": {Epoch: 7, Bundle: &codecs.Bundle{
			Format: codecs.Format{Codec: codecs.H265},
			Units:  []codecs.AccessUnit{{PTS: 153_000_000_003_600, Data: []byte{0, 0, 0, 1, 0x02}}},
		}},
		"audio": {Epoch: 7, Bundle: &codecs.Bundle{Format: aac, Units: []codecs.AccessUnit{
			{PTS: 153_000_000_000_000, RandomAccess: true, Data: []byte{0x21, 0x10}},
			{PTS: 153_000_000_001_920, RandomAccess: true, Data: []byte{0x21, 0x11, 0x05}},
		}}},
		"absence": {Epoch: 7, Absence: &pipeline.Absence{From: 1000, To: 1013}},
		"claim":   {Epoch: 7, Claim: true},
	}
}

func TestRecordsComeBackAsTheyWent(t *testing.T) {
	for name, r := range sampleRecords() {
		t.Run(name, func(t *testing.T) {
			suffix, body, err := marshal(r)
			require.NoError(t, err)
			back, err := unmarshal(subject("lobby", suffix), headerOf("7"), body)
			require.NoError(t, err)
			require.Equal(t, r, back)
		})
	}
}

func TestBytesOnTheBusNeverChange(t *testing.T) {
	for name, r := range sampleRecords() {
		t.Run(name, func(t *testing.T) {
			suffix, body, err := marshal(r)
			require.NoError(t, err)
			got := suffix + " " + hex.EncodeToString(body) + "\n"
			path := filepath.Join("testdata", "golden", name+".hex")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestMarshalAllocatesOnce(t *testing.T) {
	r := sampleRecords()["audio"]
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _, _ = marshal(r) }), 1.0)
}

func TestUnmarshalSlicesIntoTheMessage(t *testing.T) {
	_, body, err := marshal(sampleRecords()["random_access"])
	require.NoError(t, err)
	r, err := unmarshal(subject("lobby", suffixRandomAccess), headerOf("7"), body)
	require.NoError(t, err)
	body[len(body)-1] = 0x99
	require.Equal(t, byte(0x99), r.Bundle.Units[0].Data[5])
}

func TestMarshalRefusesWhatNoReaderWouldTake(t *testing.T) {
	unit := codecs.AccessUnit{RandomAccess: true, Data: []byte{1}}
	bundle := func(f codecs.Format, units ...codecs.AccessUnit) pipeline.Record {
		return pipeline.Record{Bundle: &codecs.Bundle{Format: f, Units: units}}
	}
	video, audio := codecs.Format{Codec: codecs.H264}, codecs.Format{Codec: codecs.AAC}
	cases := map[string]pipeline.Record{
		"not exactly one":      {},
		"out of range":         {Absence: &pipeline.Absence{From: 2, To: 1}},
		"unknown codec":        bundle(codecs.Format{Codec: 99}, unit),
		"want 1 to 1024":       bundle(audio),
		"want one":             bundle(video, unit, unit),
		"PTS -1":               bundle(video, codecs.AccessUnit{PTS: -1}),
		"sample rate":          bundle(codecs.Format{Codec: codecs.AAC, SampleRate: -1}, unit),
		"channels":             bundle(codecs.Format{Codec: codecs.AAC, Channels: 65}, unit),
		"configuration":        bundle(codecs.Format{Codec: codecs.AAC, Config: make([]byte, 1025)}, unit),
		"too large for the bu": bundle(video, codecs.AccessUnit{Data: make([]byte, maxBody)}),
	}
	for want, r := range cases {
		t.Run(want, func(t *testing.T) {
			_, _, err := marshal(r)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestUnmarshalRefusesBrokenMessages(t *testing.T) {
	_, audio, err := marshal(sampleRecords()["audio"])
	require.NoError(t, err)
	flags := append([]byte(nil), audio...)
	flags[2] = 1
	cases := []struct {
		name, suffix, epoch, want string
		body                      []byte
	}{
		{"no epoch", "epoch", "", "epoch", []byte{1}},
		{"epoch 0", "epoch", "0", "epoch", []byte{1}},
		{"empty", "epoch", "1", "truncated", nil},
		{"another version", "epoch", "1", "version 2", []byte{2}},
		{"too long", "epoch", "1", "too many", []byte{1, 0}},
		{"short absence", "m", "1", "truncated", []byte{1, 0}},
		{"short bundle", "a.0", "1", "truncated", audio[:len(audio)-1]},
		{"many units", "a.0", "1", "truncated", append(append([]byte(nil), audio[:12]...), 0xff, 0xff)},
		{"unknown flags", "a.0", "1", "flags", flags},
		{"audio as picture", "v.k", "1", "disagree", audio},
		{"unknown subject", "x", "1", "unknown subject", []byte{1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := unmarshal(subject("lobby", c.suffix), headerOf(c.epoch), c.body)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = unmarshal("other.lobby.m", headerOf("1"), nil)
	require.ErrorContains(t, err, "not that of a record")
}

// FuzzEnvelope feeds arbitrary messages: what is understood must come out byte for byte the same again.
func FuzzEnvelope(f *testing.F) {
	for _, r := range sampleRecords() {
		suffix, body, err := marshal(r)
		require.NoError(f, err)
		f.Add(suffix, body)
	}
	f.Fuzz(func(t *testing.T, suffix string, body []byte) {
		r, err := unmarshal(subject("lobby", suffix), headerOf("7"), body)
		if err != nil {
			require.Equal(t, pipeline.Record{}, r)
			return
		}
		again, bytes, err := marshal(r)
		require.NoError(t, err)
		require.Equal(t, suffix, again)
		require.Equal(t, body, bytes)
		require.NotContains(t, suffix, ">")
	})
}
