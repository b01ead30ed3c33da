#include "bicubic.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
// The arrays that such a loop goes over are then registers.
#define EACH_ROW _Pragma("GCC unroll 4")

TARGET static inline __m256i load(const int16_t *p) { return _mm256_loadu_si256((const void *)p); }

TARGET static void pair(int16_t *out, const uint8_t *upper, const uint8_t *lower, int width)
{
    for (int x = 0; x < width; x += 16) {
        __m256i u = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(upper + x)));
        __m256i l = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(lower + x)));

        _mm256_storeu_si256((void *)(out + 2 * x), _mm256_unpacklo_epi16(u, l));
        _mm256_storeu_si256((void *)(out + 2 * x + 16), _mm256_unpackhi_epi16(u, l));
    }
}

// Undoes the order that pair makes.
TARGET static inline void put(int16_t *out, __m256i low, __m256i high)
{
    enum { SHIFT = BICUBIC_ONE - BICUBIC_MORE };

    _mm256_storeu_si256((void *)out, _mm256_packs_epi32(_mm256_srai_epi32(low, SHIFT), _mm256_srai_epi32(high, SHIFT)));
}

TARGET static inline __m256i plus(__m256i sum, __m256i a, __m256i b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }

TARGET static void down(int16_t *out, const int16_t *const *rows, const int32_t *coefficients, int pairs, int width,
                        const VCAhead *ahead)
{
    for (int x = 0; x < width; x += 32) {
        __m256i a = _mm256_set1_epi32(1 << (BICUBIC_ONE - BICUBIC_MORE - 1)), b = a, c = a, d = a;

        for (int k = 0; k < ahead->count; k++)
            __builtin_prefetch(ahead->rows[k] + x, 0, 2);
        for (int k = 0; k < pairs; k++) {
            const int16_t *row = rows[k] + 2 * x;
            __m256i by = _mm256_set1_epi32(coefficients[k]);

            a = plus(a, load(row), by);
            b = plus(b, load(row + 16), by);
            c = plus(c, load(row + 32), by);
            d = plus(d, load(row + 48), by);
        }
        put(out + x, a, b);
        put(out + x + 16, c, d);
    }
}

TARGET static inline void put8(uint8_t *out, __m128i v) { _mm_storel_epi64((void *)out, v); }

// Writes 8 samples of each of four rows.
TARGET static inline void store(Outputs out, int x, const __m256i sum[BICUBIC_ROWS])
{
    enum { SHIFT = BICUBIC_ONE + BICUBIC_MORE };
    const __m256i rows = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    __m256i low = _mm256_packs_epi32(_mm256_srai_epi32(sum[0], SHIFT), _mm256_srai_epi32(sum[1], SHIFT));
    __m256i high = _mm256_packs_epi32(_mm256_srai_epi32(sum[2], SHIFT), _mm256_srai_epi32(sum[3], SHIFT));
    __m256i all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), rows);
    __m128i upper = _mm256_castsi256_si128(all), lower = _mm256_extracti128_si256(all, 1);

    put8(out[0] + x, upper);
    put8(out[1] + x, _mm_unpackhi_epi64(upper, upper));
    put8(out[2] + x, lower);
    put8(out[3] + x, _mm_unpackhi_epi64(lower, lower));
}

TARGET static inline __attribute__((always_inline)) void
groups(const VCAcross *t, int first, int end, Rows in, Outputs out, int loads)
{
    for (int g = first; g < end; g++) {
        const int16_t *coefficients = t->coefficients + (size_t)g * t->stride * t->pairs * 16;
        __m256i index = _mm256_loadu_si256((const void *)(t->index + g * t->stride * 8));
        __m256i sum[BICUBIC_ROWS];

        EACH_ROW
        for (int r = 0; r < BICUBIC_ROWS; r++)
            sum[r] = _mm256_set1_epi32(1 << (BICUBIC_ONE + BICUBIC_MORE - 1));
        for (int k = 0; k < t->pairs; k++) {
            __m256i by = load(coefficients + k * 16);

            EACH_ROW
            for (int r = 0; r < BICUBIC_ROWS; r++) {
                __m256i v = load(in[r] + t->first[g] + 2 * k);

                if (loads != VC_PLAIN)
                    v = _mm256_permutevar8x32_epi32(v, index);
                if (loads == VC_TWO)
                    v = _mm256_blend_epi32(v, _mm256_permutevar8x32_epi32(load(in[r] + t->second[g] + 2 * k), index), 0xf0);
                sum[r] = plus(sum[r], v, by);
            }
        }
        store(out, (g - first) * 8, sum);
    }
}

TARGET static void across(const VCAcross *t, int first, int end, Rows in, Outputs out)
{
    switch (t->loads) {
    case VC_PLAIN: groups(t, first, end, in, out, VC_PLAIN); break;
    case VC_ONE: groups(t, first, end, in, out, VC_ONE); break;
    case VC_TWO: groups(t, first, end, in, out, VC_TWO); break;
    }
}

const VCKernels *vc_bicubic_avx2(void)
{
    static const VCKernels kernels = { 8, pair, down, across };

    return __builtin_cpu_supports("avx2") ? &kernels : NULL;
}

#else

const VCKernels *vc_bicubic_avx2(void) { return NULL; }

#endif
