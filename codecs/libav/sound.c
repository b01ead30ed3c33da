#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>

#include "native.h"

enum { OUT_RATE = 48000 };

// Opens a resampler from the format of f to 48 kHz stereo planar float.
int vc_resample_open(struct SwrContext **out, const AVFrame *f)
{
    AVChannelLayout in = {0}, stereo = AV_CHANNEL_LAYOUT_STEREO;
    struct SwrContext *s = NULL;
    static const double both[2] = {1, 1};
    int ret;

    if (f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&in, f->ch_layout.nb_channels);
    else if ((ret = av_channel_layout_copy(&in, &f->ch_layout)) < 0)
        return ret;
    ret = swr_alloc_set_opts2(&s, &stereo, AV_SAMPLE_FMT_FLTP, OUT_RATE, &in, f->format, f->sample_rate, 0, NULL);
    if (ret < 0)
        goto end;
    // A downmix of many loud channels must not clip.
    av_opt_set_double(s, "rematrix_maxval", 1, 0);
    // swr would lower mono by 3 dB.
    if (in.nb_channels == 1 && (ret = swr_set_matrix(s, both, 1)) < 0)
        goto end;
    ret = swr_init(s);
end:
    av_channel_layout_uninit(&in);
    if (ret < 0)
        swr_free(&s);
    *out = s;
    return ret;
}

// Resamples f, or what is left when f is NULL. Returns the number of samples written to each channel.
int vc_resample_run(struct SwrContext *s, const AVFrame *f, float *left, float *right, int capacity)
{
    uint8_t *planes[2] = {(uint8_t *)left, (uint8_t *)right};

    return swr_convert(s, planes, capacity, f ? (const uint8_t **)f->extended_data : NULL, f ? f->nb_samples : 0);
}
