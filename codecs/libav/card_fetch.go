package libav

/*
#include "native.h"
*/
import "C"

// fetcher copies pictures of a card into memory, in buffers of released ones. The zero value is ready.
type fetcher struct {
	pool *C.AVBufferPool
	of   scalerInput // what the pool's buffers hold
}

// fetch returns p in memory, semi-planar as cards have it, with p's colour properties and captions.
func (f *fetcher) fetch(p *Picture) (*Picture, error) {
	if err := f.follow(scalerInput{width: p.frame.width, height: p.frame.height, format: C.vc_card_format(p.frame)}); err != nil {
		return nil, err
	}
	dst := &Picture{newFrame()}
	if err := failed(onThread(C.VCCall{work: C.VC_CARD, pool: f.pool, src: p.frame, dst: dst.frame})); err != nil {
		dst.Release()
		return nil, cardOf(p).lost("copying a picture into memory", err)
	}
	return dst, nil
}

func (f *fetcher) follow(of scalerInput) error {
	if f.pool != nil && f.of == of {
		return nil
	}
	f.close()
	if err := failed(C.vc_scale_pool(&f.pool, of.width, of.height, of.format)); err != nil {
		return err
	}
	count(kindPool, 1)
	f.of = of
	return nil
}

// close gives up the pool; libav frees it with the last of its pictures. Closing a closed one does nothing.
func (f *fetcher) close() {
	if f.pool == nil {
		return
	}
	C.av_buffer_pool_uninit(&f.pool)
	count(kindPool, -1)
}

// cardOf returns the kind of card that a picture lies on.
func cardOf(p *Picture) cardKind {
	for _, k := range cardKinds {
		if k.surface == p.frame.format {
			return k
		}
	}
	return cardKind{name: "a card"}
}
