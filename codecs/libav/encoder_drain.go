//go:build cgo

package libav

import "github.com/venuecast/venuecast/codecs"

// drain lets an encoder come to its end that could not be closed otherwise: SVT-AV1 1.4 waits forever when it is closed
// in the middle, and when it ends without a picture. What it puts out is dropped.
func (e *Encoder) drain() {
	drop := func(codecs.Packet) error { return nil }
	if !e.begun {
		_ = e.encodeGrey(drop)
	}
	_ = e.Flush(drop)
}

// encodeGrey encodes one picture without content.
func (e *Encoder) encodeGrey(emit func(codecs.Packet) error) error {
	dot, err := NewPictureYUV(2, 2, []byte{128, 128, 128, 128}, []byte{128}, []byte{128})
	if err != nil {
		return err
	}
	defer dot.Release()
	s, err := NewScaler(ScalerOptions{Width: e.o.Width, Height: e.o.Height, Depth: e.o.Depth})
	if err != nil {
		return err
	}
	defer s.Close()
	p, err := s.Scale(dot)
	if err != nil {
		return err
	}
	defer p.Release()
	return e.Encode(p, 0, codecs.TypeAuto, emit)
}
