#include "native.h"

// Returns the colour matrix of f, an SWS_CS value; unsaid where f does not say it.
int vc_jpeg_matrix(const AVFrame *f, int unsaid)
{
    return f->colorspace == AVCOL_SPC_UNSPECIFIED || f->colorspace == AVCOL_SPC_RGB ? unsaid : f->colorspace;
}

// Opens a scaler to 4:2:0 with the full range and the matrix of BT.601, as JFIF has it.
int vc_jpeg_open(struct SwsContext **out, int width, int height, int format, int full_range, int matrix,
                 int to_width, int to_height)
{
    int ret = vc_scale_open(out, width, height, format, full_range, to_width, to_height, AV_PIX_FMT_YUV420P, 1, "bicubic");

    if (ret >= 0 && (ret = sws_setColorspaceDetails(*out, sws_getCoefficients(matrix), full_range,
                                                    sws_getCoefficients(SWS_CS_ITU601), 1, 0, 1 << 16, 1 << 16)) < 0) {
        sws_freeContext(*out);
        *out = NULL;
    }
    return ret < 0 ? ret : 0;
}

// Scales src into dst.
int vc_jpeg_scale(struct SwsContext *s, const AVFrame *src, AVFrame *dst, int width, int height)
{
    int ret;

    dst->format = AV_PIX_FMT_YUV420P;
    dst->width = width;
    dst->height = height;
    dst->color_range = AVCOL_RANGE_JPEG;
    if ((ret = av_frame_get_buffer(dst, 0)) < 0)
        return ret;
    ret = sws_scale(s, (const uint8_t *const *)src->data, src->linesize, 0, src->height, dst->data, dst->linesize);
    return ret < 0 ? ret : 0;
}

// Prepares an encoder for a constant quality: 2 is the best, 31 the worst.
void vc_jpeg_quality(AVCodecContext *c, int quality)
{
    c->flags |= AV_CODEC_FLAG_QSCALE;
    c->global_quality = FF_QP2LAMBDA * quality;
}

// Sends a picture that vc_jpeg_scale made, and unreferences it.
int vc_jpeg_send(AVCodecContext *c, AVFrame *f, int64_t pts)
{
    int ret;

    f->pts = pts;
    f->quality = c->global_quality;
    ret = avcodec_send_frame(c, f);
    av_frame_unref(f);
    return ret;
}
