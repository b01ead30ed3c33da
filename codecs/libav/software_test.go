//go:build cgo

package libav

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/codecs"
)

func TestNoHardwareIsTriedWhereSoftwareIsAskedFor(t *testing.T) {
	for _, encoder := range []string{"", "h264_nvenc"} {
		o := testOptions(codecs.H264, encoder)
		o.Software = true
		e := openTestEncoder(t, o)
		require.Equal(t, "libx264", e.Name())
		require.Empty(t, e.Refused())
	}
}

func TestOnlyAFailureOfADeviceIsOne(t *testing.T) {
	cause := errors.New("cause")
	require.ErrorIs(t, (&Encoder{name: "h264_nvenc"}).failure(1, cause), ErrDevice)
	require.NotErrorIs(t, (&Encoder{name: "libx264"}).failure(1, cause), ErrDevice)
	require.ErrorIs(t, (&Encoder{name: "libx264"}).failure(1, cause), cause)
}

// This machine has no encoder of QSV, as most have none of some kind: naming it is an error that software can mend.
func TestNamedHardwareThatIsNotThereIsAFailureOfADevice(t *testing.T) {
	e, err := OpenEncoder(testOptions(codecs.H264, "h264_qsv"))
	if err == nil {
		e.Close()
		t.Skip("this machine has one")
	}
	require.ErrorIs(t, err, ErrDevice)
}
