package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/pipeline"
)

// Headers of a record.
const (
	epochHeader        = "E" // the writer's epoch, decimal
	expectedLastHeader = "Nats-Expected-Last-Sequence"
)

// The last tokens of a record's subject, after "feed.<id>.". Random access pictures have one of their own,
// so that the server finds the last one before a sequence number in one request.
const (
	suffixRandomAccess = "v.k"
	suffixDelta        = "v.d"
	suffixAudio        = "a.0"
	suffixSource       = "m"
	suffixEpoch        = "epoch"
)

// Bounds of what is taken from the bus.
const (
	// maxPayload bounds a message, headers included: that of the server and of each feed's stream.
	maxPayload = 8 << 20
	// maxBody leaves room for the headers.
	maxBody   = maxPayload - 1024
	maxUnits  = 1024
	maxConfig = 1024
	// maxTicks and maxFrame are some 20 000 and 2 000 years: products of them with rates still fit into 63 bits.
	maxTicks = 1 << 56
	maxFrame = 1 << 44

	maxSampleRate = 768000
	maxChannels   = 64
)

// Layout, integers in big endian. A bundle: version, codec, flags (none defined: 0), sample rate (32 bit), channels (8),
// length of the configuration (16), the configuration, number of units (16), units.
// A unit: PTS (64), flags (bit 0: random access), length of the data (32), the data.
// An absence: version, From (64), To (64). A claim: version.
const (
	version        = 1
	bundleHead     = 1 + 1 + 1 + 4 + 1 + 2
	unitHead       = 8 + 1 + 4
	absenceLength  = 1 + 8 + 8
	flagUnitRandom = 1
)

var errTruncated = errors.New("truncated")

// subject returns the subject of a feed's records with the given suffix.
func subject(feed, suffix string) string { return "feed." + feed + "." + suffix }

// marshal returns the subject suffix and the body of r in one allocation. Epoch and Seq are not part of the body.
func marshal(r pipeline.Record) (suffix string, body []byte, err error) {
	switch {
	case r.Bundle != nil && r.Absence == nil && !r.Claim:
		return marshalBundle(r.Bundle)
	case r.Absence != nil && r.Bundle == nil && !r.Claim:
		return marshalAbsence(*r.Absence)
	case r.Claim && r.Bundle == nil && r.Absence == nil:
		return suffixEpoch, []byte{version}, nil
	}
	return "", nil, errors.New("record is not exactly one of bundle, absence and claim")
}

func marshalBundle(b *codecs.Bundle) (string, []byte, error) {
	if err := checkBundle(b); err != nil {
		return "", nil, err
	}
	size := bundleHead + len(b.Format.Config) + 2
	for _, u := range b.Units {
		size += unitHead + len(u.Data)
	}
	if size > maxBody {
		return "", nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, maxBody)
	}
	p := make([]byte, 0, size)
	p = append(p, version, byte(b.Format.Codec), 0)
	p = binary.BigEndian.AppendUint32(p, uint32(b.Format.SampleRate))
	p = append(p, byte(b.Format.Channels))
	p = binary.BigEndian.AppendUint16(p, uint16(len(b.Format.Config)))
	p = append(p, b.Format.Config...)
	p = binary.BigEndian.AppendUint16(p, uint16(len(b.Units)))
	for _, u := range b.Units {
		p = appendUnit(p, u)
	}
	return bundleSuffix(b), p, nil
}

func appendUnit(p []byte, u codecs.AccessUnit) []byte {
	var flags byte
	if u.RandomAccess {
		flags |= flagUnitRandom
	}
	p = binary.BigEndian.AppendUint64(p, uint64(u.PTS))
	p = append(p, flags)
	p = binary.BigEndian.AppendUint32(p, uint32(len(u.Data)))
	return append(p, u.Data...)
}

func marshalAbsence(a pipeline.Absence) (string, []byte, error) {
	if err := checkAbsence(a); err != nil {
		return "", nil, err
	}
	p := make([]byte, 0, absenceLength)
	p = append(p, version)
	p = binary.BigEndian.AppendUint64(p, uint64(a.From))
	p = binary.BigEndian.AppendUint64(p, uint64(a.To))
	return suffixSource, p, nil
}

// unmarshal reads the record that was published on subject. Its Seq is left to the caller.
// The record's Data and Config are slices of body, which therefore belongs to the record from then on.
func unmarshal(subject string, header nats.Header, body []byte) (pipeline.Record, error) {
	var r pipeline.Record
	var err error
	if r.Epoch, err = epochOf(header); err != nil {
		return pipeline.Record{}, err
	}
	suffix, err := suffixOf(subject)
	if err != nil {
		return pipeline.Record{}, err
	}
	d := decoder{rest: body}
	if v := d.byte(); d.err == nil && v != version {
		return pipeline.Record{}, fmt.Errorf("version %d, want %d", v, version)
	}
	switch suffix {
	case suffixEpoch:
		r.Claim = true
	case suffixSource:
		r.Absence, err = d.absence()
	case suffixRandomAccess, suffixDelta, suffixAudio:
		r.Bundle, err = d.bundle(suffix)
	default:
		err = errors.New("unknown subject")
	}
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return pipeline.Record{}, fmt.Errorf("%s: %w", subject, err)
	}
	return r, nil
}

func epochOf(header nats.Header) (uint64, error) {
	s := header.Get(epochHeader)
	epoch, err := strconv.ParseUint(s, 10, 64)
	if err != nil || epoch == 0 {
		return 0, fmt.Errorf("epoch %q: want a positive number", s)
	}
	return epoch, nil
}

// suffixOf returns what follows "feed.<id>.".
func suffixOf(subject string) (string, error) {
	rest, isFeed := strings.CutPrefix(subject, "feed.")
	id, suffix, isRecord := strings.Cut(rest, ".")
	if !isFeed || !isRecord || !pipeline.ValidID(id) {
		return "", fmt.Errorf("subject %q is not that of a record", subject)
	}
	return suffix, nil
}

// bundleSuffix returns the subject suffix of a valid bundle.
func bundleSuffix(b *codecs.Bundle) string {
	switch {
	case b.Format.Codec.Kind() == codecs.Audio:
		return suffixAudio
	case b.Units[0].RandomAccess:
		return suffixRandomAccess
	}
	return suffixDelta
}

func checkBundle(b *codecs.Bundle) error {
	f := b.Format
	switch {
	case !f.Codec.Valid():
		return fmt.Errorf("unknown codec %d", f.Codec)
	case f.SampleRate < 0 || f.SampleRate > maxSampleRate:
		return fmt.Errorf("sample rate %d out of range", f.SampleRate)
	case f.Channels < 0 || f.Channels > maxChannels:
		return fmt.Errorf("%d channels out of range", f.Channels)
	case len(f.Config) > maxConfig:
		return fmt.Errorf("codec configuration of %d bytes, at most %d", len(f.Config), maxConfig)
	case len(b.Units) == 0 || len(b.Units) > maxUnits:
		return fmt.Errorf("%d access units, want 1 to %d", len(b.Units), maxUnits)
	case f.Codec.Kind() == codecs.Video && len(b.Units) > 1:
		return fmt.Errorf("%d pictures, want one", len(b.Units))
	}
	for _, u := range b.Units {
		if u.PTS < 0 || u.PTS > maxTicks {
			return fmt.Errorf("PTS %d out of range", u.PTS)
		}
	}
	return nil
}

func checkAbsence(a pipeline.Absence) error {
	if a.From < 0 || a.To < a.From || a.To > maxFrame {
		return fmt.Errorf("absence from frame %d to %d out of range", a.From, a.To)
	}
	return nil
}
