package libav

/*
#include "native.h"
*/
import "C"

import "fmt"

// scaleOnCard scales a picture of a card: on the card where that gives what memory would, else in memory.
func (s *Scaler) scaleOnCard(p *Picture) (*Picture, error) {
	if !s.leavesOnCard(p) {
		memory, err := s.fetcher.fetch(p)
		if err != nil {
			return nil, err
		}
		defer memory.Release()
		return s.scale(memory)
	}
	if int(p.frame.width) == s.o.Width && int(p.frame.height) == s.o.Height && C.vc_card_format(p.frame) == s.semiPlanar() {
		same := p.retain()
		same.frame.sample_aspect_ratio = C.AVRational{1, 1}
		return same, nil
	}
	return s.filterOnCard(p)
}

// leavesOnCard reports whether a picture can be scaled on the scaler's card. Cards' filters neither map HDR nor change the
// range of samples, and take no notice of what is cut off at the top and the left.
func (s *Scaler) leavesOnCard(p *Picture) bool {
	c, f := s.o.Card, p.frame
	return c != nil && c.scales && C.vc_card_holds(c.device, f) != 0 &&
		f.color_range != C.AVCOL_RANGE_JPEG && f.crop_left == 0 && f.crop_top == 0 &&
		!(s.format == C.AV_PIX_FMT_YUV420P && C.vc_is_hdr(f) != 0)
}

// semiPlanar returns the format of the scaler's pictures on a card: cards have no planar 4:2:0 in common.
func (s *Scaler) semiPlanar() C.int {
	if s.format == C.AV_PIX_FMT_YUV420P10LE || s.format == C.AV_PIX_FMT_P010LE {
		return C.AV_PIX_FMT_P010LE
	}
	return C.AV_PIX_FMT_NV12
}

func (s *Scaler) filterOnCard(p *Picture) (*Picture, error) {
	kind := s.o.Card.kind
	name := C.GoString(C.av_get_pix_fmt_name(int32(s.semiPlanar())))
	if err := s.onCard.follow(p.frame, fmt.Sprintf(kind.chain, s.o.Width, s.o.Height, name)); err != nil {
		return nil, kind.lost("opening a scaler", err)
	}
	dst := &Picture{newFrame()}
	code := onThread(C.VCCall{work: C.VC_CARD, src: p.frame, dst: dst.frame, in: s.onCard.src, out: s.onCard.sink})
	if err := failed(code); err != nil {
		dst.Release()
		return nil, kind.lost(fmt.Sprintf("scaling to %d×%d", s.o.Width, s.o.Height), err)
	}
	return dst, nil
}
