#include "bicubic.h"

// The cubic of libswscale's SWS_BICUBIC (B = 0, C = 0.6), ten times as large. d is a distance in samples; both have 30 bits
// after the point.
static int64_t cubic(int64_t d)
{
    int64_t dd, ddd;

    if (d >= INT64_C(2) << 30)
        return 0;
    dd = d * d >> 30;
    ddd = dd * d >> 30;
    if (d < INT64_C(1) << 30)
        return 84 * ddd - 144 * dd + (INT64_C(60) << 30);
    return -36 * ddd + 180 * dd - 288 * d + (INT64_C(144) << 30);
}

// Rounds weights to coefficients whose sum is 1; what rounding leaves goes to the next.
static void normalize(int16_t *coefficients, const int64_t *weights, int taps)
{
    int64_t sum = 0, left = 0;

    for (int j = 0; j < taps; j++)
        sum += weights[j];
    for (int j = 0; j < taps; j++) {
        int64_t v = (weights[j] << BICUBIC_ONE) + left, twice = 2 * v + sum;

        coefficients[j] = (twice - (twice < 0 ? 2 * sum - 1 : 0)) / (2 * sum);
        left = v - coefficients[j] * sum;
    }
}

// Computes output i; position is 2^17 times its centre, counted from that of sample 0.
static void compute(VCAxis *a, int i, int64_t position)
{
    int64_t weights[BICUBIC_TAPS];

    a->first[i] = (position - (a->taps - 2) * INT64_C(0x10000)) >> 17;
    for (int j = 0; j < a->taps; j++) {
        int64_t d = llabs(((a->first[i] + j) * INT64_C(0x20000)) - position) << 13;
        weights[j] = cubic(a->from > a->to ? d * a->to / a->from : d);
    }
    normalize(a->coefficients + i * a->taps, weights, a->taps);
}

// Begins each output with a coefficient that is not 0, but not after the next output begins. Then lets go of taps that no
// output uses.
static void trim(VCAxis *a, int count)
{
    int taps = 1;

    for (int i = count - 1; i >= 0; i--) {
        int16_t *c = a->coefficients + i * a->taps;

        while (!c[0] && (i == count - 1 || a->first[i] < a->first[i + 1])) {
            memmove(c, c + 1, (a->taps - 1) * sizeof(*c));
            c[a->taps - 1] = 0;
            a->first[i]++;
        }
        for (int j = taps; j < a->taps; j++)
            if (c[j])
                taps = j + 1;
    }
    for (int i = 0; i < count; i++)
        memmove(a->coefficients + i * taps, a->coefficients + i * a->taps, taps * sizeof(*a->coefficients));
    a->taps = taps;
}

// Positions are those of libswscale, with 16 bits after the point: initFilter in libswscale/utils.c. All is integer
// arithmetic, so that every processor has the same.
int vc_axis_open(VCAxis *a, int from, int to)
{
    int count = FFALIGN(to, BICUBIC_LANES);
    int64_t step = (((int64_t)from << 16) + to / 2) / to;

    *a = (VCAxis){ .from = from, .to = to, .taps = from > to ? 1 + (4 * from + to - 1) / to : 5 };
    a->first = av_calloc(count, sizeof(*a->first));
    a->coefficients = av_calloc(count, a->taps * sizeof(*a->coefficients));
    if (!a->first || !a->coefficients)
        return AVERROR(ENOMEM);
    for (int i = 0; i < count; i++)
        compute(a, i, step - 0x10000 + 2 * step * i);
    trim(a, count);
    return 0;
}

void vc_axis_close(VCAxis *a)
{
    av_freep(&a->first);
    av_freep(&a->coefficients);
}
