#include "bicubic.h"

// Returns the sum, with bits fewer after the point.
static int rounded(int sum, int bits) { return (sum + (1 << (bits - 1))) >> bits; }

// What the kernels do, sample by sample. row has room for a row of the source.
void vc_bicubic_reference(const VCAxis *x, const VCAxis *y, int16_t *row, const uint8_t *src, ptrdiff_t stride,
                          uint8_t *dst, ptrdiff_t to_stride)
{
    for (int i = 0; i < y->to; i++, dst += to_stride) {
        for (int j = 0; j < x->from; j++) {
            int sum = 0;

            for (int k = 0; k < y->taps; k++)
                sum += y->coefficients[i * y->taps + k] * src[av_clip(y->first[i] + k, 0, y->from - 1) * stride + j];
            row[j] = rounded(sum, BICUBIC_ONE - BICUBIC_MORE);
        }
        for (int j = 0; j < x->to; j++) {
            int sum = 0;

            for (int k = 0; k < x->taps; k++)
                sum += x->coefficients[j * x->taps + k] * row[av_clip(x->first[j] + k, 0, x->from - 1)];
            dst[j] = av_clip_uint8(rounded(sum, BICUBIC_ONE + BICUBIC_MORE));
        }
    }
}
