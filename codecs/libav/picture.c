#include "native.h"

int vc_picture_alloc(AVFrame *f, int width, int height)
{
    f->format = AV_PIX_FMT_YUV420P;
    f->width = width;
    f->height = height;
    f->color_range = AVCOL_RANGE_MPEG;
    f->sample_aspect_ratio = (AVRational){1, 1};
    return av_frame_get_buffer(f, 0);
}

void vc_picture_write(AVFrame *f, int plane, const uint8_t *data, int width, int height)
{
    av_image_copy_plane(f->data[plane], f->linesize[plane], data, width, width, height);
}

void vc_picture_read(const AVFrame *f, int plane, uint8_t *data, int width, int height)
{
    av_image_copy_plane(data, width, f->data[plane], f->linesize[plane], width, height);
}
