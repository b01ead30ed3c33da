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

// Uploads f into a surface of the encoder's device.
static int upload_picture(AVCodecContext *c, AVFrame *f)
{
    AVFrame *up = av_frame_alloc();
    int ret = AVERROR(ENOMEM);

    if (up && (ret = av_hwframe_get_buffer(c->hw_frames_ctx, up, 0)) >= 0 &&
        (ret = av_hwframe_transfer_data(up, f, 0)) >= 0 && (ret = av_frame_copy_props(up, f)) >= 0) {
        av_frame_unref(f);
        av_frame_move_ref(f, up);
    }
    av_frame_free(&up);
    return ret;
}

// Sends f, a reference of the caller's own, with its time and type, and empties it: its pixels are shared with other encoders.
// A decoder leaves its picture type in the frame, and encoders would obey it.
int vc_send_picture(AVCodecContext *c, AVFrame *f, int64_t pts, int type)
{
    int ret = 0;

    if (c->hw_frames_ctx && !f->hw_frames_ctx)
        ret = upload_picture(c, f);
    if (ret >= 0) {
        f->pts = pts;
        f->duration = 0;
        f->pict_type = type;
        f->flags &= ~AV_FRAME_FLAG_KEY;
        ret = avcodec_send_frame(c, f);
    }
    av_frame_unref(f);
    return ret;
}

// Adds the packets that are ready, as far as there is room.
int vc_receive_packets(AVCodecContext *c, VCPackets *out)
{
    int ret = 0;

    while (out->count < VC_LIST && (ret = avcodec_receive_packet(c, out->packet[out->count])) >= 0)
        out->count++;
    return ret == AVERROR(EAGAIN) || ret == AVERROR_EOF ? 0 : ret;
}

// Takes the frames that are ready, as far as there is room, in place of those before.
void vc_receive_frames(AVCodecContext *c, VCFrames *out)
{
    out->code = 0;
    for (out->count = 0; out->count < VC_LIST; out->count++)
        if ((out->code = avcodec_receive_frame(c, out->frame[out->count])) < 0)
            return;
}

// Sends p, empties it, and takes the frames that are ready. Returns the code of sending.
int vc_decode(AVCodecContext *c, AVPacket *p, VCFrames *out)
{
    int ret = avcodec_send_packet(c, p);

    av_packet_unref(p);
    vc_receive_frames(c, out);
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
