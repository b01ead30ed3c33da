#include <math.h>
#include <string.h>

#include "native.h"

// Makes p a copy of data: av_new_packet pads with AV_INPUT_BUFFER_PADDING_SIZE zero bytes, because bit readers read past the end.
int vc_fill_packet(AVPacket *p, const uint8_t *data, int size, int64_t pts)
{
    int ret = av_new_packet(p, size);
    if (ret < 0)
        return ret;
    memcpy(p->data, data, size);
    p->pts = pts;
    return 0;
}

// Sends a copy of data.
int vc_send_data(AVCodecContext *c, AVPacket *p, const uint8_t *data, int size, int64_t pts)
{
    int ret = vc_fill_packet(p, data, size, pts);
    if (ret < 0)
        return ret;
    ret = avcodec_send_packet(c, p);
    av_packet_unref(p);
    return ret;
}

// Makes dst a picture that the encoder takes: another reference of src, or its upload into a surface of the encoder's device
// where it is not on it already.
static int input_picture(AVCodecContext *c, AVFrame *dst, const AVFrame *src)
{
    int ret;

    if (!c->hw_frames_ctx || src->hw_frames_ctx)
        return av_frame_ref(dst, src);
    if ((ret = av_hwframe_get_buffer(c->hw_frames_ctx, dst, 0)) < 0 ||
        (ret = av_hwframe_transfer_data(dst, src, 0)) < 0)
        return ret;
    return av_frame_copy_props(dst, src);
}

// Sends src with its own time and type: src is shared with other encoders and stays as it is.
// A decoder leaves its picture type in the frame, and encoders would obey it.
int vc_send_picture(AVCodecContext *c, AVFrame *scratch, const AVFrame *src, int64_t pts, int type)
{
    int ret = input_picture(c, scratch, src);
    if (ret >= 0) {
        scratch->pts = pts;
        scratch->duration = 0;
        scratch->pict_type = type;
        scratch->flags &= ~AV_FRAME_FLAG_KEY;
        ret = avcodec_send_frame(c, scratch);
    }
    av_frame_unref(scratch);
    return ret;
}

// The AAC encoder refuses a block that holds a NaN or an infinity, which a damaged frame can decode to.
static void copy_finite(float *dst, const float *src, int n)
{
    for (int i = 0; i < n; i++)
        dst[i] = isfinite(src[i]) ? src[i] : 0;
}

// Does the same for two channels into one line, sample by sample; right is NULL for mono.
static void interleave_finite(float *dst, const float *left, const float *right, int n)
{
    for (int i = 0; i < n; i++) {
        *dst++ = isfinite(left[i]) ? left[i] : 0;
        if (right)
            *dst++ = isfinite(right[i]) ? right[i] : 0;
    }
}

// Sends one block of c->frame_size samples; right is NULL for mono.
int vc_send_sound(AVCodecContext *c, AVFrame *scratch, const float *left, const float *right, int64_t pts)
{
    int ret;

    scratch->format = c->sample_fmt;
    scratch->nb_samples = c->frame_size;
    scratch->sample_rate = c->sample_rate;
    if ((ret = av_channel_layout_copy(&scratch->ch_layout, &c->ch_layout)) < 0 ||
        (ret = av_frame_get_buffer(scratch, 0)) < 0)
        goto end;
    if (c->sample_fmt == AV_SAMPLE_FMT_FLT) {
        interleave_finite((float *)scratch->data[0], left, right, c->frame_size);
    } else {
        copy_finite((float *)scratch->data[0], left, c->frame_size);
        if (right)
            copy_finite((float *)scratch->data[1], right, c->frame_size);
    }
    scratch->pts = pts;
    ret = avcodec_send_frame(c, scratch);
end:
    av_frame_unref(scratch);
    return ret;
}
