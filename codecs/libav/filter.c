#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

#include "native.h"

static int open_source(AVFilterGraph *g, AVFilterContext **src, const AVFrame *f)
{
    AVBufferSrcParameters *par = av_buffersrc_parameters_alloc();
    int ret = AVERROR(ENOMEM);

    *src = avfilter_graph_alloc_filter(g, avfilter_get_by_name("buffer"), "in");
    if (par && *src) {
        par->format = f->format;
        par->width = f->width;
        par->height = f->height;
        par->time_base = (AVRational){1, VC_TICKS};
        par->sample_aspect_ratio = (AVRational){1, 1};
        par->color_space = f->colorspace;
        par->color_range = f->color_range;
        par->hw_frames_ctx = f->hw_frames_ctx;
        if ((ret = av_buffersrc_parameters_set(*src, par)) >= 0)
            ret = avfilter_init_dict(*src, NULL);
    }
    av_free(par);
    return ret;
}

static int parse(AVFilterGraph *g, AVFilterContext *src, AVFilterContext *sink, const char *chain)
{
    AVFilterInOut *from = avfilter_inout_alloc(), *to = avfilter_inout_alloc();
    int ret = AVERROR(ENOMEM);

    if (from && to) {
        *from = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = src};
        *to = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = sink};
        ret = avfilter_graph_parse_ptr(g, chain, &to, &from, NULL);
    }
    avfilter_inout_free(&from);
    avfilter_inout_free(&to);
    return ret;
}

// Has the filters work on the device of a card's picture, and make as many pictures as are held at once.
static int give_device(AVFilterGraph *g, const AVFrame *f, int held)
{
    AVHWFramesContext *frames = (AVHWFramesContext *)f->hw_frames_ctx->data;

    for (unsigned i = 0; i < g->nb_filters; i++) {
        g->filters[i]->extra_hw_frames = held;
        if (!(g->filters[i]->hw_device_ctx = av_buffer_ref(frames->device_ref)))
            return AVERROR(ENOMEM);
    }
    return 0;
}

// Opens a chain of filters for pictures like f. It works on the calling thread only. held is how many of its
// pictures are held at once, for cards whose pools do not grow.
int vc_filter_open(AVFilterGraph **out, AVFilterContext **src, AVFilterContext **sink, const AVFrame *f, const char *chain,
                   int held)
{
    AVFilterGraph *g = avfilter_graph_alloc();
    int ret = AVERROR(ENOMEM);

    if (g) {
        g->nb_threads = 1;
        if ((ret = open_source(g, src, f)) >= 0 &&
            (ret = avfilter_graph_create_filter(sink, avfilter_get_by_name("buffersink"), "out", NULL, NULL, g)) >= 0 &&
            (ret = parse(g, *src, *sink, chain)) >= 0 &&
            (!f->hw_frames_ctx || (ret = give_device(g, f, held)) >= 0))
            ret = avfilter_graph_config(g, NULL);
    }
    if (ret < 0)
        avfilter_graph_free(&g);
    *out = g;
    return ret;
}

// Gives the chain another reference of f, or its end when f is NULL.
int vc_filter_push(AVFilterContext *src, AVFrame *f)
{
    return av_buffersrc_add_frame_flags(src, f, AV_BUFFERSRC_FLAG_KEEP_REF);
}

// Takes a picture from the chain, its time in ticks.
int vc_filter_pull(AVFilterContext *sink, AVFrame *f)
{
    int ret = av_buffersink_get_frame(sink, f);

    if (ret >= 0 && f->pts != AV_NOPTS_VALUE)
        f->pts = av_rescale_q(f->pts, av_buffersink_get_time_base(sink), (AVRational){1, VC_TICKS});
    return ret;
}

int vc_is_interlaced(const AVFrame *f)
{
    return !!(f->flags & AV_FRAME_FLAG_INTERLACED);
}

int vc_is_hdr(const AVFrame *f)
{
    return f->color_trc == AVCOL_TRC_SMPTE2084 || f->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

// Says of an HDR picture what its stream has left out: Rec. ITU-R BT.2100 leaves no other choice in practice.
void vc_complete_hdr(AVFrame *f)
{
    if (f->color_primaries == AVCOL_PRI_UNSPECIFIED)
        f->color_primaries = AVCOL_PRI_BT2020;
    if (f->colorspace == AVCOL_SPC_UNSPECIFIED)
        f->colorspace = AVCOL_SPC_BT2020_NCL;
    if (f->color_range == AVCOL_RANGE_UNSPECIFIED)
        f->color_range = AVCOL_RANGE_MPEG;
}
