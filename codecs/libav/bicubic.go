package libav

/*
#include "native.h"
*/
import "C"

// path is how bicubic scaling is done. Our own ways make the same bytes, so that workers on different processors do;
// libswscale's differ from them in the last bit of some samples.
type path C.int

const (
	bestPath      path = C.VC_BICUBIC_BEST // AVX-512 (with VNNI), else AVX2, else libswscale
	avx512Path    path = C.VC_BICUBIC_AVX512
	avx2Path      path = C.VC_BICUBIC_AVX2
	referencePath path = C.VC_BICUBIC_REFERENCE // slow
	libswscale    path = C.VC_BICUBIC_NEVER
)

// ownScaling is the way that scalers take. Tests change it.
var ownScaling = bestPath
