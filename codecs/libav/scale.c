#include <libavutil/opt.h>

#include "native.h"

// Returns the pixel format of f, and whether its samples use the full range, without the deprecated "J" formats.
int vc_scale_format(const AVFrame *f, int *full_range)
{
    *full_range = f->color_range == AVCOL_RANGE_JPEG;
    switch (f->format) {
    case AV_PIX_FMT_YUVJ420P: *full_range = 1; return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ422P: *full_range = 1; return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ444P: *full_range = 1; return AV_PIX_FMT_YUV444P;
    case AV_PIX_FMT_YUVJ440P: *full_range = 1; return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ411P: *full_range = 1; return AV_PIX_FMT_YUV411P;
    }
    return f->format;
}

int vc_scale_check_flags(const char *flags)
{
    struct SwsContext *s = sws_alloc_context();
    int ret = s ? av_opt_set(s, "sws_flags", flags, 0) : AVERROR(ENOMEM);
    sws_freeContext(s);
    return ret;
}

int vc_scale_open(struct SwsContext **out, int width, int height, int format, int full_range,
                  int to_width, int to_height, int to_format, int to_full_range, const char *flags)
{
    struct SwsContext *s = sws_alloc_context();
    int ret = AVERROR(ENOMEM);

    if (!s ||
        (ret = av_opt_set(s, "sws_flags", flags, 0)) < 0 ||
        (ret = av_opt_set_int(s, "srcw", width, 0)) < 0 ||
        (ret = av_opt_set_int(s, "srch", height, 0)) < 0 ||
        (ret = av_opt_set_int(s, "src_format", format, 0)) < 0 ||
        (ret = av_opt_set_int(s, "src_range", full_range, 0)) < 0 ||
        (ret = av_opt_set_int(s, "dstw", to_width, 0)) < 0 ||
        (ret = av_opt_set_int(s, "dsth", to_height, 0)) < 0 ||
        (ret = av_opt_set_int(s, "dst_format", to_format, 0)) < 0 ||
        (ret = av_opt_set_int(s, "dst_range", to_full_range, 0)) < 0 ||
        (ret = sws_init_context(s, NULL, NULL)) < 0) {
        sws_freeContext(s);
        return ret;
    }
    *out = s;
    return 0;
}

enum { ALIGN = 64 }; // widest SIMD store

static int line_sizes(int linesize[4], int width, int format)
{
    int ret = av_image_fill_linesizes(linesize, format, width);
    for (int i = 0; i < 4; i++)
        linesize[i] = FFALIGN(linesize[i], ALIGN);
    return ret;
}

int vc_scale_pool(AVBufferPool **out, int width, int height, int format)
{
    int linesize[4];
    ptrdiff_t strides[4];
    size_t sizes[4], total = 2 * ALIGN; // start alignment, and stores past the end of the last line
    int ret = line_sizes(linesize, width, format);

    for (int i = 0; i < 4; i++)
        strides[i] = linesize[i];
    if (ret < 0 || (ret = av_image_fill_plane_sizes(sizes, format, height, strides)) < 0)
        return ret;
    for (int i = 0; i < 4; i++)
        total += sizes[i];
    *out = av_buffer_pool_init(total, NULL);
    return *out ? 0 : AVERROR(ENOMEM);
}

// Gives dst a buffer of the pool.
int vc_picture_from_pool(AVFrame *dst, AVBufferPool *pool, int width, int height, int format)
{
    int ret;

    if (!(dst->buf[0] = av_buffer_pool_get(pool)))
        return AVERROR(ENOMEM);
    dst->width = width;
    dst->height = height;
    dst->format = format;
    if ((ret = line_sizes(dst->linesize, width, format)) < 0)
        return ret;
    ret = av_image_fill_pointers(dst->data, format, height,
                                 (uint8_t *)FFALIGN((uintptr_t)dst->buf[0]->data, ALIGN), dst->linesize);
    dst->extended_data = dst->data;
    return ret < 0 ? ret : 0;
}

// Scales src into dst, with colour properties and side data (captions) of src: with b, or with s if b is NULL.
int vc_scale_run(struct SwsContext *s, const VCBicubic *b, AVBufferPool *pool, const AVFrame *src, AVFrame *dst,
                 int width, int height, int format)
{
    int ret;

    if ((ret = vc_picture_from_pool(dst, pool, width, height, format)) < 0 ||
        (ret = av_frame_copy_props(dst, src)) < 0)
        return ret;
    dst->color_range = AVCOL_RANGE_MPEG;
    dst->sample_aspect_ratio = (AVRational){1, 1};
    dst->crop_top = dst->crop_bottom = dst->crop_left = dst->crop_right = 0;
    if (b) {
        vc_bicubic_run(b, src, dst);
        return 0;
    }
    ret = sws_scale(s, (const uint8_t *const *)src->data, src->linesize, 0, src->height, dst->data, dst->linesize);
    return ret < 0 ? ret : 0;
}
