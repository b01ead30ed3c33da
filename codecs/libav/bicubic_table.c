#include "bicubic.h"

int vc_down_open(VCDown *d, const VCAxis *a)
{
    *d = (VCDown){ .most = a->taps / 2 + 1 };
    d->first = av_calloc(a->to, sizeof(*d->first));
    d->pairs = av_calloc(a->to, sizeof(*d->pairs));
    d->coefficients = av_calloc(a->to, d->most * sizeof(*d->coefficients));
    if (!d->first || !d->pairs || !d->coefficients)
        return AVERROR(ENOMEM);
    for (int i = 0; i < a->to; i++) {
        int odd = a->first[i] & 1;

        d->first[i] = a->first[i] >> 1;
        for (int j = 0; j < a->taps; j++) {
            int16_t c = a->coefficients[i * a->taps + j];

            d->coefficients[i * d->most + (j + odd) / 2] |= (uint32_t)(uint16_t)c << ((j + odd) % 2 * 16);
            if (c)
                d->pairs[i] = (j + odd) / 2 + 1;
        }
    }
    return 0;
}

void vc_down_close(VCDown *d)
{
    av_freep(&d->first);
    av_freep(&d->pairs);
    av_freep(&d->coefficients);
}

// Reports whether each output's samples begin two after those of the one before.
static int plain(const VCAxis *a, int count)
{
    for (int i = 1; i < count; i++)
        if (a->first[i] != a->first[i - 1] + 2)
            return 0;
    return 1;
}

// Returns the farthest that one of n outputs from i on begins after the first of them.
static int span(const VCAxis *a, int i, int n) { return a->first[i + n - 1] - a->first[i]; }

static int widest(const VCAxis *a, int lanes, int n)
{
    int most = 0;

    for (int i = 0; i < FFALIGN(a->to, lanes); i += n)
        most = FFMAX(most, span(a, i, n));
    return most;
}

// How a group's outputs find their pairs, which begin at even places of a load: else the coefficients begin with a zero.
enum way {
    IN_ORDER,  // each right after the one before; and the load begins where it likes
    BY_PAIR,   // in a load for each pair
    BY_HALF,   // the upper half of the outputs in another load for each pair
    BY_WINDOW, // all pairs in one load
    BY_TWO,    // all pairs in two loads side by side
    NOWHERE
};

// A load has 2 × lanes samples. Those of many lanes are wide enough for all pairs, and cost more.
static enum way find(const VCAxis *a, int lanes)
{
    int load = 2 * lanes, window = widest(a, lanes, lanes) + FFALIGN(a->taps + 1, 2);

    if (plain(a, FFALIGN(a->to, lanes)))
        return IN_ORDER;
    if (lanes == BICUBIC_LANES)
        return window <= load ? BY_WINDOW : window <= 2 * load ? BY_TWO : NOWHERE;
    if (widest(a, lanes, lanes) < load)
        return BY_PAIR;
    return widest(a, lanes, lanes / 2) < load ? BY_HALF : NOWHERE;
}

static void compute(VCAcross *t, const VCAxis *a, enum way way, int group)
{
    int begin = group * t->lanes, middle = begin + t->lanes / 2;
    int16_t *coefficients = t->coefficients + group * t->pairs * t->lanes * 2;

    t->first[group] = a->first[begin];
    t->second[group] = way == BY_HALF ? a->first[middle] : a->first[begin] + 2 * t->lanes;
    for (int lane = 0; lane < t->lanes; lane++) {
        int i = begin + lane;
        int place = a->first[i] - (way == BY_HALF && i >= middle ? t->second : t->first)[group];
        int odd = way == IN_ORDER ? 0 : place % 2;

        t->index[i] = place / 2;
        for (int j = 0; j < a->taps; j++)
            coefficients[((j + odd) / 2 * t->lanes + lane) * 2 + (j + odd) % 2] = a->coefficients[i * a->taps + j];
    }
}

// Reports whether all groups are like the first, as they are where the ratio is simple.
static int periodic(const VCAcross *t)
{
    size_t size = t->pairs * t->lanes * 2;

    for (int g = 1; g < t->groups; g++)
        if (memcmp(t->index, t->index + g * t->lanes, t->lanes * sizeof(*t->index)) ||
            memcmp(t->coefficients, t->coefficients + g * size, size * sizeof(*t->coefficients)))
            return 0;
    return 1;
}

int vc_across_open(VCAcross *t, const VCAxis *a, int lanes)
{
    enum way way = find(a, lanes);
    int odd = way != IN_ORDER;

    *t = (VCAcross){ .lanes = lanes, .groups = FFALIGN(a->to, lanes) / lanes, .pairs = (a->taps + odd + 1) / 2 };
    if (way == NOWHERE)
        return AVERROR(ENOSYS);
    t->loads = way == IN_ORDER ? VC_PLAIN : way == BY_PAIR || way == BY_WINDOW ? VC_ONE : VC_TWO;
    t->first = av_calloc(t->groups, sizeof(*t->first));
    t->second = av_calloc(t->groups, sizeof(*t->second));
    t->index = av_calloc(t->groups, lanes * sizeof(*t->index));
    t->coefficients = av_calloc(t->groups, t->pairs * lanes * 2 * sizeof(*t->coefficients));
    if (!t->first || !t->second || !t->index || !t->coefficients)
        return AVERROR(ENOMEM);
    for (int g = 0; g < t->groups; g++)
        compute(t, a, way, g);
    t->stride = !periodic(t);
    return 0;
}

void vc_across_close(VCAcross *t)
{
    av_freep(&t->first);
    av_freep(&t->second);
    av_freep(&t->index);
    av_freep(&t->coefficients);
}
