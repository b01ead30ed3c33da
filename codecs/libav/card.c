#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "native.h"

// An opening that somebody waits for, or waited for.
typedef struct Opening {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int type;
    int done, given_up; // guarded by lock, as is the result
    int result;
    AVBufferRef *device;
    char reason[256];
} Opening;

static void free_opening(Opening *o)
{
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->changed);
    free(o);
}

static void *open_device(void *arg)
{
    Opening *o = arg;
    AVBufferRef *device = NULL;
    char reason[sizeof(o->reason)];
    int ret, given_up;

    vc_log_capture();
    ret = av_hwdevice_ctx_create(&device, o->type, NULL, NULL, 0);
    vc_log_captured(reason, sizeof(reason));

    pthread_mutex_lock(&o->lock);
    o->done = 1;
    o->result = ret;
    o->device = device;
    memcpy(o->reason, reason, sizeof(reason));
    given_up = o->given_up;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
    if (given_up) {
        av_buffer_unref(&device);
        free_opening(o);
    }
    return NULL;
}

static Opening *start_opening(int type)
{
    Opening *o = calloc(1, sizeof(*o));
    pthread_condattr_t attr;
    pthread_t id;

    if (!o)
        return NULL;
    o->type = type;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&id, NULL, open_device, o)) {
        free_opening(o);
        return NULL;
    }
    pthread_detach(id);
    return o;
}

// Opens a device, and waits for it no longer than limit milliseconds: drivers have been seen to hang. reason gets libav's
// first error line. A device that opens later than that is closed by the thread that opened it.
int vc_card_open(AVBufferRef **device, int type, int limit, char *reason, int size)
{
    Opening *o = start_opening(type);
    struct timespec until;
    int ret;

    if (!o)
        return AVERROR(ENOMEM);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += limit / 1000;
    until.tv_nsec += limit % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&o->lock);
    while (!o->done && pthread_cond_timedwait(&o->changed, &o->lock, &until) == 0)
        ;
    if (!o->done) {
        o->given_up = 1;
        pthread_mutex_unlock(&o->lock);
        snprintf(reason, size, "it did not open within %d ms", limit);
        return AVERROR(ETIMEDOUT);
    }
    pthread_mutex_unlock(&o->lock);
    ret = o->result;
    *device = o->device;
    snprintf(reason, size, "%s", o->reason);
    free_opening(o);
    return ret;
}

// Makes a pool of a device's pictures; count is what it holds where pools do not grow (VAAPI).
int vc_card_pool(AVBufferRef **out, AVBufferRef *device, int surface, int format, int width, int height, int count)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);
    AVHWFramesContext *frames;
    int ret;

    if (!ref)
        return AVERROR(ENOMEM);
    frames = (AVHWFramesContext *)ref->data;
    frames->format = surface;
    frames->sw_format = format;
    frames->width = width;
    frames->height = height;
    frames->initial_pool_size = count;
    if ((ret = av_hwframe_ctx_init(ref)) < 0)
        av_buffer_unref(&ref);
    *out = ref;
    return ret;
}

// Has a decoder use a device; extra is how many of its pictures others may hold. libav's own choice of a format then takes the
// device where it can decode the stream, and memory where not (avcodec_default_get_format).
int vc_card_decodes(AVCodecContext *c, AVBufferRef *device, int extra)
{
    c->extra_hw_frames = extra;
    c->hw_device_ctx = av_buffer_ref(device);
    return c->hw_device_ctx ? 0 : AVERROR(ENOMEM);
}

// Has an encoder take pictures of a pool.
int vc_card_encodes(AVCodecContext *c, AVBufferRef *pool)
{
    c->sw_pix_fmt = ((AVHWFramesContext *)pool->data)->sw_format;
    c->pix_fmt = ((AVHWFramesContext *)pool->data)->format;
    c->hw_frames_ctx = av_buffer_ref(pool);
    return c->hw_frames_ctx ? 0 : AVERROR(ENOMEM);
}

// Returns the format of a card's picture as it would be in memory.
int vc_card_format(const AVFrame *f) { return ((AVHWFramesContext *)f->hw_frames_ctx->data)->sw_format; }

// Returns whether a picture lies on a device.
int vc_card_holds(AVBufferRef *device, const AVFrame *f)
{
    return ((AVHWFramesContext *)f->hw_frames_ctx->data)->device_ref->data == device->data;
}

// Copies a card's picture into memory of a pool for its size and format.
static int fetch(AVBufferPool *pool, const AVFrame *src, AVFrame *dst)
{
    int ret;

    if ((ret = vc_picture_from_pool(dst, pool, src->width, src->height, vc_card_format(src))) < 0 ||
        (ret = av_hwframe_transfer_data(dst, src, 0)) < 0 ||
        (ret = av_frame_copy_props(dst, src)) < 0)
        return ret;
    // On a card, what is cut off at the top and the left is only noted (av_frame_apply_cropping).
    return av_frame_apply_cropping(dst, AV_FRAME_CROP_UNALIGNED);
}

// Passes src through a chain of a card's filters, which gives one picture for each.
static int scale(AVFilterContext *in, AVFilterContext *out, AVFrame *src, AVFrame *dst)
{
    int ret;

    if ((ret = vc_filter_push(in, src)) < 0 || (ret = vc_filter_pull(out, dst)) < 0)
        return ret;
    dst->sample_aspect_ratio = (AVRational){1, 1};
    return 0;
}

int vc_card_run(const VCCall *c)
{
    if (c->in)
        return scale(c->in, c->out, (AVFrame *)c->src, c->dst);
    return fetch(c->pool, c->src, c->dst);
}
