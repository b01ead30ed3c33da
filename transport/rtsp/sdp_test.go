package rtsp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	sdpHead   = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=Media\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
	goodVideo = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=0\r\n"
	goodAudio = "m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n"
)

// quirks are session descriptions of cameras in the field, and how many media are good in them.
var quirks = []struct {
	name, sdp string
	media     int
}{
	{"as it should be", sdpHead + goodVideo + goodAudio, 2},
	{"AAC without config (Hikvision)", sdpHead + goodVideo +
		"m=audio 0 RTP/AVP 104\r\na=rtpmap:104 mpeg4-generic/16000/1\r\na=fmtp:104 profile-level-id=15; streamtype=5; mode=AAC-hbr;config=; SizeLength=13\r\n", 1},
	{"AAC without fmtp (Dahua)", sdpHead + goodVideo + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000\r\n", 1},
	{"H.265 with a broken SPS", sdpHead +
		"m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=fmtp:98 sprop-vps=QAEMAf//AWAAAA==;sprop-sps=QgEBAWAA;sprop-pps=RAHA8rA8kAA=\r\n" + goodAudio, 2},
	{"H.264 with sprop that is not base64", sdpHead +
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets=***,***\r\n", 1},
	{"empty sprop", sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets=\r\n", 1},
	{"broken o= (Uniview)", "v=0\r\no=- 1001 1 IN\r\ns=\r\nt=now-\r\n" + goodVideo, 1},
	{"o= that nobody can read", "v=0\r\no=garbage\r\ns=x\r\n" + goodVideo, 1},
	{"broken c=", "v=0\r\no=- 0 0 IN IP4 1\r\ns=x\r\nc=nothing at all here\r\nt=0 0\r\n" + goodVideo, 1},
	{"no v=", "o=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\n" + goodVideo, 1},
	{"negative port (Tuya)", sdpHead + strings.Replace(goodVideo, "video 0", "video -1", 1), 1},
	{"lines without =", "v=0\r\nhello\r\n\r\n  \r\n" + goodVideo + "what is this\r\n", 1},
	{"bare LF", strings.ReplaceAll(sdpHead+goodVideo, "\r\n", "\n"), 1},
	{"NUL at the end", sdpHead + goodVideo + "\x00", 1},
	{"repeat without times", "v=0\r\nr=7d 1h 0\r\n" + goodVideo + "r=1 \r\nt=1\r\n", 1},
	{"the same mid twice", sdpHead + goodVideo + "a=mid:0\r\n" + goodAudio + "a=mid:0\r\n", 2},
	{"mid for some only", sdpHead + goodVideo + "a=mid:0\r\n" + goodAudio, 2},
	{"group of media that are not there", "v=0\r\na=group:FEC 1 2\r\n" + goodVideo, 1},
	{"metadata with unknown protocol", sdpHead + goodVideo + "m=application 0 TCP/RTP/WHAT 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n", 1},
	{"unknown media type", sdpHead + goodVideo + "m=hologram 0 RTP/AVP 99\r\na=rtpmap:99 H3D/90000\r\n", 1},
	{"one of two payload types is broken", sdpHead + "m=audio 0 RTP/AVP 97 8\r\na=rtpmap:97 mpeg4-generic/48000\r\n" + goodVideo, 2},
	{"broken b= and k=", sdpHead + "b=lots\r\n" + goodVideo + "b=AS:many\r\nk=\r\n", 1},
	{"short m=", sdpHead + "m=video\r\n" + goodAudio, 1},
	{"broken key-mgmt", sdpHead + "a=key-mgmt:mikey !!!\r\n" + goodVideo, 1},
	{"nothing good", sdpHead + "m=video 0 RTP/AVP x\r\n", 0},
	{"no media", sdpHead, 0},
	{"empty", "", 0},
	{"not SDP", "<html><body>401</body></html>", 0},
}

func TestSanitizedSDPKeepsWhatIsGood(t *testing.T) {
	for _, q := range quirks {
		t.Run(q.name, func(t *testing.T) {
			d, err := parseSDP(string(SanitizeSDP([]byte(q.sdp))))
			if q.media == 0 {
				require.ErrorContains(t, err, "no media streams")
				return
			}
			require.NoError(t, err)
			require.Len(t, d.Medias, q.media)
		})
	}
}

func TestSanitizeKeepsControlAndParameterSets(t *testing.T) {
	in := sdpHead + "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:trackID=7\r\n" +
		"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtkAoC/5cBEAAAMAAQAAAwAyDxYuSA==,aO+Pyw==\r\n"
	out := string(SanitizeSDP([]byte(in)))
	require.Contains(t, out, "a=control:*\r\n")
	require.Contains(t, out, "a=control:trackID=7\r\n")
	d, err := parseSDP(out)
	require.NoError(t, err)
	tracks, err := chooseTracks(d)
	require.NoError(t, err)
	require.Equal(t, 640, tracks[0].info.Picture.Width)
}

func TestWhatIsLeftOutIsNamed(t *testing.T) {
	_, dropped := sanitizeSDP([]byte(sdpHead + goodVideo + "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000\r\n"))
	require.Equal(t, []string{"m=audio 0 RTP/AVP 97: media 1 is invalid: config is missing"}, dropped)
}

func FuzzSanitizedSDPIsReadable(f *testing.F) {
	for _, q := range quirks {
		f.Add([]byte(q.sdp))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once := SanitizeSDP(body)
		d, err := parseSDP(string(once))
		if strings.Contains(string(once), "\r\nm=") {
			require.NoError(t, err)
			_, _ = chooseTracks(d)
		} else {
			require.ErrorContains(t, err, "no media streams")
		}
		require.Equal(t, string(once), string(SanitizeSDP(once)), "what is good must stay as it is")
	})
}
