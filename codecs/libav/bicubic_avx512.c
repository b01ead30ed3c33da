#include "bicubic.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
// The arrays that such a loop goes over are then registers.
#define EACH_ROW _Pragma("GCC unroll 4")

TARGET static void pair(int16_t *out, const uint8_t *upper, const uint8_t *lower, int width)
{
    for (int x = 0; x < width; x += 32) {
        __m512i u = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(upper + x)));
        __m512i l = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const void *)(lower + x)));

        _mm512_storeu_si512(out + 2 * x, _mm512_unpacklo_epi16(u, l));
        _mm512_storeu_si512(out + 2 * x + 32, _mm512_unpackhi_epi16(u, l));
    }
}

// Undoes the order that pair makes.
TARGET static inline void put(int16_t *out, __m512i low, __m512i high)
{
    enum { SHIFT = BICUBIC_ONE - BICUBIC_MORE };

    _mm512_storeu_si512(out, _mm512_packs_epi32(_mm512_srai_epi32(low, SHIFT), _mm512_srai_epi32(high, SHIFT)));
}

TARGET static void down(int16_t *out, const int16_t *const *rows, const int32_t *coefficients, int pairs, int width,
                        const VCAhead *ahead)
{
    for (int x = 0; x < width; x += 64) {
        __m512i a = _mm512_set1_epi32(1 << (BICUBIC_ONE - BICUBIC_MORE - 1)), b = a, c = a, d = a;

        for (int k = 0; k < ahead->count; k++)
            __builtin_prefetch(ahead->rows[k] + x, 0, 2);
        for (int k = 0; k < pairs; k++) {
            const int16_t *row = rows[k] + 2 * x;
            __m512i by = _mm512_set1_epi32(coefficients[k]);

            a = _mm512_dpwssd_epi32(a, _mm512_loadu_si512(row), by);
            b = _mm512_dpwssd_epi32(b, _mm512_loadu_si512(row + 32), by);
            c = _mm512_dpwssd_epi32(c, _mm512_loadu_si512(row + 64), by);
            d = _mm512_dpwssd_epi32(d, _mm512_loadu_si512(row + 96), by);
        }
        put(out + x, a, b);
        put(out + x + 32, c, d);
    }
}

// Writes 16 samples of each of four rows.
TARGET static inline void store(Outputs out, int x, const __m512i sum[BICUBIC_ROWS])
{
    enum { SHIFT = BICUBIC_ONE + BICUBIC_MORE };
    const __m512i rows = _mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0);
    __m512i low = _mm512_packs_epi32(_mm512_srai_epi32(sum[0], SHIFT), _mm512_srai_epi32(sum[1], SHIFT));
    __m512i high = _mm512_packs_epi32(_mm512_srai_epi32(sum[2], SHIFT), _mm512_srai_epi32(sum[3], SHIFT));
    __m512i all = _mm512_permutexvar_epi32(rows, _mm512_packus_epi16(low, high));

    _mm_storeu_si128((void *)(out[0] + x), _mm512_castsi512_si128(all));
    _mm_storeu_si128((void *)(out[1] + x), _mm512_extracti32x4_epi32(all, 1));
    _mm_storeu_si128((void *)(out[2] + x), _mm512_extracti32x4_epi32(all, 2));
    _mm_storeu_si128((void *)(out[3] + x), _mm512_extracti32x4_epi32(all, 3));
}

// Two loads have all samples of a group of outputs; one, if loads is VC_ONE.
TARGET static inline __attribute__((always_inline)) void
permuted(const VCAcross *t, int first, int end, Rows in, Outputs out, int loads)
{
    for (int g = first; g < end; g++) {
        const int16_t *coefficients = t->coefficients + (size_t)g * t->stride * t->pairs * 32;
        __m512i index = _mm512_loadu_si512(t->index + g * t->stride * 16);
        __m512i low[BICUBIC_ROWS], high[BICUBIC_ROWS], sum[BICUBIC_ROWS];

        EACH_ROW
        for (int r = 0; r < BICUBIC_ROWS; r++) {
            low[r] = _mm512_loadu_si512(in[r] + t->first[g]);
            if (loads == VC_TWO)
                high[r] = _mm512_loadu_si512(in[r] + t->second[g]);
            sum[r] = _mm512_set1_epi32(1 << (BICUBIC_ONE + BICUBIC_MORE - 1));
        }
        for (int k = 0; k < t->pairs; k++) {
            __m512i by = _mm512_loadu_si512(coefficients + k * 32);

            EACH_ROW
            for (int r = 0; r < BICUBIC_ROWS; r++) {
                __m512i v = loads == VC_TWO ? _mm512_permutex2var_epi32(low[r], index, high[r])
                                            : _mm512_permutexvar_epi32(index, low[r]);
                sum[r] = _mm512_dpwssd_epi32(sum[r], v, by);
            }
            index = _mm512_add_epi32(index, _mm512_set1_epi32(1));
        }
        store(out, (g - first) * 16, sum);
    }
}

// Samples are in order.
TARGET static void plain(const VCAcross *t, int first, int end, Rows in, Outputs out)
{
    for (int g = first; g < end; g++) {
        const int16_t *coefficients = t->coefficients + (size_t)g * t->stride * t->pairs * 32;
        __m512i sum[BICUBIC_ROWS];

        EACH_ROW
        for (int r = 0; r < BICUBIC_ROWS; r++)
            sum[r] = _mm512_set1_epi32(1 << (BICUBIC_ONE + BICUBIC_MORE - 1));
        for (int k = 0; k < t->pairs; k++) {
            __m512i by = _mm512_loadu_si512(coefficients + k * 32);

            EACH_ROW
            for (int r = 0; r < BICUBIC_ROWS; r++)
                sum[r] = _mm512_dpwssd_epi32(sum[r], _mm512_loadu_si512(in[r] + t->first[g] + 2 * k), by);
        }
        store(out, (g - first) * 16, sum);
    }
}

TARGET static void across(const VCAcross *t, int first, int end, Rows in, Outputs out)
{
    switch (t->loads) {
    case VC_PLAIN: plain(t, first, end, in, out); break;
    case VC_ONE: permuted(t, first, end, in, out, VC_ONE); break;
    case VC_TWO: permuted(t, first, end, in, out, VC_TWO); break;
    }
}

const VCKernels *vc_bicubic_avx512(void)
{
    static const VCKernels kernels = { 16, pair, down, across };

    return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")
               ? &kernels
               : NULL;
}

#else

const VCKernels *vc_bicubic_avx512(void) { return NULL; }

#endif
