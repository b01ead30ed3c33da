package libav

/*
#include "native.h"
*/
import "C"

import "fmt"

// maxCaptions is more than one picture can have: 31 triplets of cc_data (ANSI/CTA-708 §4.4: cc_count has 5 bits), twice.
const maxCaptions = 2 * 31 * 3

// Captions returns a copy of the CEA-608/708 captions that came with the picture, as triplets of cc_data; nil without any.
func (p *Picture) Captions() []byte {
	var data [maxCaptions]byte
	n := C.vc_captions_get(p.frame, bytePointer(data[:]), maxCaptions)
	if n <= 0 {
		return nil
	}
	return append([]byte(nil), data[:n]...)
}

// SetCaptions gives this reference other captions, or none. Other references to the same pixels keep theirs.
func (p *Picture) SetCaptions(triplets []byte) {
	if err := failed(C.vc_captions_set(p.frame, bytePointer(triplets), C.int(len(triplets)))); err != nil {
		panic(fmt.Sprintf("libav: giving a picture captions: %v", err)) // lack of memory
	}
}
