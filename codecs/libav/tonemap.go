package libav

/*
#include "native.h"
*/
import "C"

import "fmt"

// toneMap makes SDR pictures of HDR ones, at the size they are to have: it is dear per pixel.
type toneMap struct{ filter filter }

// toneMapping goes by way of linear light. 203 cd/m² is the reference white of HDR (Rec. ITU-R BT.2408 §2.2), which becomes
// SDR's white; Hable's curve keeps contrast below it and bends what is above.
const toneMapping = "zscale=width=%d:height=%d:filter=bicubic:transfer=linear:npl=203,format=gbrpf32le," +
	"zscale=primaries=bt709,tonemap=tonemap=hable:desat=0,zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p"

// scale returns p at a size, as BT.709.
func (t *toneMap) scale(p *Picture, width, height int) (*Picture, error) {
	own := p.retain()
	defer own.Release()
	C.vc_complete_hdr(own.frame)
	out, err := t.run(own, width, height)
	if err != nil {
		return nil, fmt.Errorf("mapping HDR to SDR at %d×%d: %w", width, height, err)
	}
	out.frame.sample_aspect_ratio = C.AVRational{1, 1}
	return out, nil
}

func (t *toneMap) run(p *Picture, width, height int) (*Picture, error) {
	if err := t.filter.follow(p.frame, fmt.Sprintf(toneMapping, width, height)); err != nil {
		return nil, err
	}
	if err := t.filter.push(p.frame); err != nil {
		return nil, err
	}
	return t.filter.pull()
}
