package metrics_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/transport/metrics"
)

func TestOnlyWhatRunsNowIsShownOfHardware(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	h := metrics.NewHardware(reg, func() map[metrics.Session]int64 {
		return map[metrics.Session]int64{{Device: "cuda", Kind: "encode"}: 2}
	})
	h.Decoder("court-1", "cuda")
	h.Decoder("court-1", "software")
	h.Encoder("court-1", "720p", "h264_nvenc")
	h.Encoder("court-1", "720p", "libx264")
	h.SteppedDown("court-1", metrics.StepDownCard)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP venuecast_hardware_sessions Sessions that are open on a device to decode or encode; drivers bound their number.
# TYPE venuecast_hardware_sessions gauge
venuecast_hardware_sessions{device="cuda",kind="encode"} 2
# HELP venuecast_transcode_decoder_info 1, with what decodes: cuda, vaapi, or software, which is the processor.
# TYPE venuecast_transcode_decoder_info gauge
venuecast_transcode_decoder_info{feed="court-1",kind="software"} 1
# HELP venuecast_transcode_encoder_info 1, with the encoder of a rendition by libav's name.
# TYPE venuecast_transcode_encoder_info gauge
venuecast_transcode_encoder_info{encoder="libx264",feed="court-1",rendition="720p"} 1
# HELP venuecast_transcode_step_downs_total Times that a feed went on without hardware that failed: a card that decodes and scales, or an encoder.
# TYPE venuecast_transcode_step_downs_total counter
venuecast_transcode_step_downs_total{feed="court-1",reason="card"} 1
venuecast_transcode_step_downs_total{feed="court-1",reason="encoder"} 0
`)))
}

func TestTheRelayKnowsEachRenditionsEncoder(t *testing.T) {
	reg := prometheus.NewRegistry()
	h := metrics.NewHardware(reg, func() map[metrics.Session]int64 { return nil })
	h.Encoder("court-1", "720p", "h264_nvenc")
	h.Encoder("court-1", "360p", "libx264")
	var snapshot bytes.Buffer
	require.NoError(t, metrics.WriteSnapshot(&snapshot, reg))
	relay, known := metrics.NewRelay(), map[string]string{}
	require.NoError(t, relay.Read("court-1", &endless{&snapshot, func() { known = relay.Encoders("court-1") }}))
	require.Equal(t, map[string]string{"720p": "h264_nvenc", "360p": "libx264"}, known)
	require.Empty(t, relay.Encoders("court-1"), "the child has ended")
}

// endless calls at the end of what it reads, when the relay has taken it.
type endless struct {
	*bytes.Buffer
	end func()
}

func (e *endless) Read(b []byte) (int, error) {
	n, err := e.Buffer.Read(b)
	if err != nil {
		e.end()
	}
	return n, err
}
