#include "bicubic.h"

// The filters of one plane's size.
typedef struct Plane {
    VCAxis x, y;
    VCDown down;
    VCAcross across;
} Plane;

struct VCBicubic {
    const VCKernels *kernels; // NULL: the reference
    Plane planes[2];          // luma, chroma
    int slots;                // pairs of rows that are kept
    int width;                // of a pair of rows, in samples
    int origin, length;       // of a row after the vertical filter: where its sample 0 is; the whole
    int16_t *pairs, *rows;    // slots pairs; BICUBIC_ROWS rows
};

static int plane_open(Plane *p, int width, int height, int to_width, int to_height, int lanes)
{
    int ret;

    if ((ret = vc_axis_open(&p->x, width, to_width)) < 0 ||
        (ret = vc_axis_open(&p->y, height, to_height)) < 0 ||
        (ret = vc_down_open(&p->down, &p->y)) < 0)
        return ret;
    return vc_across_open(&p->across, &p->x, lanes);
}

// Says how much room a plane's rows want, loads beyond what is used included.
static void plane_room(VCBicubic *b, const Plane *p)
{
    int last = p->x.first[FFALIGN(p->x.to, BICUBIC_LANES) - 1];
    int width = FFALIGN(p->x.from, BICUBIC_BLOCK), end = FFMAX(width, last + BICUBIC_TAPS + 4 * BICUBIC_LANES);

    b->slots = FFMAX(b->slots, p->down.most);
    b->width = FFMAX(b->width, width);
    b->origin = FFMAX(b->origin, FFALIGN(-p->x.first[0], BICUBIC_LANES * 2));
    b->length = FFMAX(b->length, FFALIGN(end, BICUBIC_BLOCK));
}

static int open(VCBicubic *b, int width, int height, int to_width, int to_height)
{
    int lanes = b->kernels ? b->kernels->lanes : BICUBIC_LANES;

    for (int i = 0; i < 2; i++) {
        int ret = plane_open(&b->planes[i], AV_CEIL_RSHIFT(width, i), AV_CEIL_RSHIFT(height, i),
                             AV_CEIL_RSHIFT(to_width, i), AV_CEIL_RSHIFT(to_height, i), lanes);
        if (ret < 0)
            return ret;
        plane_room(b, &b->planes[i]);
    }
    b->length += b->origin;
    b->pairs = av_calloc(b->slots, 2 * b->width * sizeof(*b->pairs));
    b->rows = av_calloc(BICUBIC_ROWS, b->length * sizeof(*b->rows));
    return b->pairs && b->rows ? 0 : AVERROR(ENOMEM);
}

static const VCKernels *choose(int path)
{
    const VCKernels *k = NULL;

    if (path == VC_BICUBIC_BEST || path == VC_BICUBIC_AVX512)
        k = vc_bicubic_avx512();
    if (path == VC_BICUBIC_AVX2 || (path == VC_BICUBIC_BEST && !k))
        k = vc_bicubic_avx2();
    return k;
}

// Prepares scaling between sizes. AVERROR(ENOSYS): the processor, or these sizes, are left to libswscale.
int vc_bicubic_open(VCBicubic **out, int width, int height, int to_width, int to_height, int path)
{
    const VCKernels *kernels = choose(path);
    VCBicubic *b;
    int ret;

    if ((!kernels && path != VC_BICUBIC_REFERENCE) || width > BICUBIC_RATIO * to_width || height > BICUBIC_RATIO * to_height)
        return AVERROR(ENOSYS);
    if (!(b = av_mallocz(sizeof(*b))))
        return AVERROR(ENOMEM);
    b->kernels = kernels;
    if ((ret = open(b, width, height, to_width, to_height)) < 0) {
        vc_bicubic_close(b);
        return ret;
    }
    *out = b;
    return 0;
}

void vc_bicubic_close(VCBicubic *b)
{
    if (!b)
        return;
    for (int i = 0; i < 2; i++) {
        vc_axis_close(&b->planes[i].x);
        vc_axis_close(&b->planes[i].y);
        vc_down_close(&b->planes[i].down);
        vc_across_close(&b->planes[i].across);
    }
    av_free(b->pairs);
    av_free(b->rows);
    av_free(b);
}

// Pass is what a plane's scaling has come to.
typedef struct Pass {
    const VCBicubic *b;
    const Plane *p;
    const uint8_t *src;
    ptrdiff_t stride;
    int next;  // pair to be read
    int asked; // row up to which the processor has been asked for them
    VCAhead ahead;
} Pass;

static const uint8_t *source_row(const Pass *s, int y) { return s->src + s->stride * av_clip(y, 0, s->p->y.from - 1); }

static int16_t *pair_slot(const Pass *s, int pair)
{
    return s->b->pairs + (size_t)((pair - s->p->down.first[0]) % s->b->slots) * 2 * s->b->width;
}

static void read_pair(const Pass *s, int pair)
{
    const uint8_t *upper = source_row(s, 2 * pair), *lower = source_row(s, 2 * pair + 1);
    int width = s->p->x.from, whole = width & ~(BICUBIC_BLOCK - 1), rest = width - whole;
    int16_t *out = pair_slot(s, pair);
    uint8_t end[2][BICUBIC_BLOCK] = { 0 };

    s->b->kernels->pair(out, upper, lower, whole);
    if (rest) { // nothing beyond the picture may be read
        memcpy(end[0], upper + whole, rest);
        memcpy(end[1], lower + whole, rest);
        s->b->kernels->pair(out + 2 * whole, end[0], end[1], BICUBIC_BLOCK);
    }
}

// Says which rows are to be asked for while row y is filtered, so that they are near when their time comes: the
// processor by itself sees rows come only once they are being read, and a picture is larger than its caches.
static void look_ahead(Pass *s, int y)
{
    enum { DISTANCE = 4 }; // in rows of output
    int soon = FFMIN(y + DISTANCE, s->p->y.to - 1);
    int until = FFMIN(s->p->y.first[soon] + s->p->y.taps, s->p->y.from);

    s->ahead.count = 0;
    for (s->asked = FFMAX(s->asked, 2 * s->next); s->asked < until && s->ahead.count < BICUBIC_AHEAD; s->asked++)
        s->ahead.rows[s->ahead.count++] = source_row(s, s->asked);
}

// Lets the outermost samples stand for those outside.
static void extend(const VCAxis *x, int16_t *row)
{
    int end = x->first[FFALIGN(x->to, BICUBIC_LANES) - 1] + x->taps;

    for (int i = x->first[0]; i < 0; i++)
        row[i] = row[0];
    for (int i = x->from; i <= end; i++)
        row[i] = row[x->from - 1];
}

// Filters row y vertically, and reads what it wants.
static const int16_t *make_row(Pass *s, int y, int16_t *row)
{
    const VCDown *down = &s->p->down;
    const int16_t *rows[BICUBIC_PAIRS];

    for (; s->next < down->first[y] + down->pairs[y]; s->next++)
        read_pair(s, s->next);
    for (int k = 0; k < down->pairs[y]; k++)
        rows[k] = pair_slot(s, down->first[y] + k);
    look_ahead(s, y);
    s->b->kernels->down(row, rows, down->coefficients + y * down->most, down->pairs[y],
                        FFALIGN(s->p->x.from, BICUBIC_BLOCK), &s->ahead);
    extend(&s->p->x, row);
    return row;
}

static void put_rows(const Pass *s, Rows in, Outputs out)
{
    const VCAcross *across = &s->p->across;
    int lanes = across->lanes, whole = s->p->x.to / lanes, rest = s->p->x.to % lanes;
    uint8_t end[BICUBIC_ROWS][BICUBIC_LANES], *const ends[BICUBIC_ROWS] = { end[0], end[1], end[2], end[3] };

    s->b->kernels->across(across, 0, whole, in, out);
    if (rest) { // nothing beyond the picture may be written
        s->b->kernels->across(across, whole, whole + 1, in, ends);
        for (int r = 0; r < BICUBIC_ROWS; r++)
            memcpy(out[r] + whole * lanes, end[r], rest);
    }
}

// Vertical first: each output row is filtered from pairs of source rows into words, then some rows horizontally.
static void scale_plane(const VCBicubic *b, const Plane *p, const uint8_t *src, ptrdiff_t stride,
                        uint8_t *dst, ptrdiff_t to_stride)
{
    Pass pass = { .b = b, .p = p, .src = src, .stride = stride, .next = p->down.first[0] };

    for (int y = 0; y < p->y.to; y += BICUBIC_ROWS) {
        const int16_t *in[BICUBIC_ROWS];
        uint8_t *out[BICUBIC_ROWS];

        for (int r = 0; r < BICUBIC_ROWS; r++) {
            int past = y + r >= p->y.to; // then the last row once more

            in[r] = past ? in[r - 1] : make_row(&pass, y + r, b->rows + (size_t)r * b->length + b->origin);
            out[r] = past ? out[r - 1] : dst + (y + r) * to_stride;
        }
        put_rows(&pass, in, out);
    }
}

void vc_bicubic_run(const VCBicubic *b, const AVFrame *src, AVFrame *dst)
{
    for (int i = 0; i < 3; i++) {
        const Plane *p = &b->planes[i > 0];

        if (b->kernels)
            scale_plane(b, p, src->data[i], src->linesize[i], dst->data[i], dst->linesize[i]);
        else
            vc_bicubic_reference(&p->x, &p->y, b->rows, src->data[i], src->linesize[i], dst->data[i], dst->linesize[i]);
    }
}
