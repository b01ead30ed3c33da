package rtsp

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/sdpunmarshaler"
)

// maxMedia bounds the media descriptions that are looked at. Cameras have two to five.
const maxMedia = 32

// SanitizeSDP returns a session description (RFC 8866) that the RTSP library can read, made of what is good in body.
// The session part is written anew, only its attributes are kept. A media description that cannot be read as it
// is loses its broken parameter sets, then its broken formats, and is left out when that does not help: one bad
// audio track must not cost the picture. Without any good media the result has none.
func SanitizeSDP(body []byte) []byte {
	out, _ := sanitizeSDP(body)
	return out
}

// sanitizeSDP also returns what was left out, one line each.
func sanitizeSDP(body []byte) (out []byte, dropped []string) {
	session, media := splitSDP(body)
	head := sessionPart(session)
	var b bytes.Buffer
	b.WriteString(head)
	for _, m := range media {
		good, err := repairMedia(m)
		if err != nil {
			dropped = append(dropped, oneLine(fmt.Sprintf("%s: %v", m[0], err)))
			continue
		}
		b.WriteString(good)
	}
	return b.Bytes(), dropped
}

// splitSDP returns the lines of the session part, and those of each media description, the m= line first.
func splitSDP(body []byte) (session []string, media [][]string) {
	text := strings.ToValidUTF8(string(body), "?")
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\r' || r == '\n' || r == 0 }) {
		line = strings.TrimSpace(line)
		switch {
		case len(line) < 3 || line[1] != '=':
		case line[0] == 'm' && len(media) == maxMedia:
			return session, media
		case line[0] == 'm':
			media = append(media, []string{line})
		case len(media) > 0:
			media[len(media)-1] = append(media[len(media)-1], line)
		default:
			session = append(session, line)
		}
	}
	return session, media
}

const emptySession = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"

// sessionPart returns a session part of which the library takes every line. A client needs nothing
// of o=, c= and t=, which cameras get wrong most.
func sessionPart(lines []string) string {
	part := emptySession
	for _, line := range lines {
		// Groups name media that may have been left out (RFC 5888 §4).
		if line[0] != 'a' || strings.HasPrefix(line, "a=group:") {
			continue
		}
		if _, err := parseSDP(part + line + "\r\n" + "m=video 0 RTP/AVP 26\r\n"); err == nil {
			part += line + "\r\n"
		}
	}
	return part
}

// repairMedia returns a media description that the library takes, or why there is none.
func repairMedia(lines []string) (string, error) {
	name := strings.Fields(lines[0][2:])
	if len(name) < 4 {
		return "", fmt.Errorf("incomplete m= line")
	}
	name[1] = "0" // The port means nothing in RTSP (RFC 2326 §C.1.2) and is negative in some cameras.
	attributes := mediaAttributes(lines[1:])
	err := tryMedia(name, attributes)
	if err == nil {
		return mediaText(name, attributes), nil
	}
	attributes = withoutParameterSets(attributes)
	if tryMedia(name, attributes) == nil {
		return mediaText(name, attributes), nil
	}
	formats := name[3:]
	for _, f := range formats {
		name = append(name[:3:3], f)
		if tryMedia(name, attributes) == nil {
			return mediaText(name, attributes), nil
		}
	}
	return "", err
}

// mediaAttributes returns the attributes that matter. Media identifiers serve groups only, and the library
// insists on their being unique and complete.
func mediaAttributes(lines []string) []string {
	var keep []string
	for _, line := range lines {
		if line[0] == 'a' && !strings.HasPrefix(line, "a=mid:") {
			keep = append(keep, line)
		}
	}
	return keep
}

// withoutParameterSets drops what the stream brings anyway: sprop-… of H.264 (RFC 6184 §8.1) and H.265 (RFC 7798 §7.1).
func withoutParameterSets(attributes []string) []string {
	cleaned := make([]string, len(attributes))
	for i, line := range attributes {
		cleaned[i] = line
		payloadType, list, isList := strings.Cut(line, " ")
		if !isList || !strings.HasPrefix(line, "a=fmtp:") {
			continue
		}
		var keep []string
		for p := range strings.SplitSeq(list, ";") {
			if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(p)), "sprop-") {
				keep = append(keep, p)
			}
		}
		cleaned[i] = strings.TrimSpace(payloadType + " " + strings.Join(keep, ";"))
	}
	return cleaned
}

func mediaText(name, attributes []string) string {
	lines := append([]string{"m=" + strings.Join(name, " ")}, attributes...)
	return strings.Join(lines, "\r\n") + "\r\n"
}

func tryMedia(name, attributes []string) error {
	_, err := parseSDP(emptySession + mediaText(name, attributes))
	return err
}

// parseSDP reads text as the library does when it describes a stream; there, a panic would end the process.
func parseSDP(text string) (d *description.Session, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not understood: %v", r)
		}
	}()
	sdp, err := sdpunmarshaler.Unmarshal([]byte(text))
	if err != nil {
		return nil, err
	}
	d = &description.Session{}
	if err := d.Unmarshal2(sdp); err != nil {
		return nil, err
	}
	return d, nil
}
