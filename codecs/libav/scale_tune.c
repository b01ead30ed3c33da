#include <time.h>

#include <libavutil/cpu.h>

#include "native.h"

#if defined(__x86_64__)

enum { WIDTH = 1280, HEIGHT = 72, TO_WIDTH = 854, TO_HEIGHT = 48, TRIES = 8 };

static int64_t thread_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

// Returns the least time of a small picture with these processor flags, which stay set; INT64_MAX if it fails.
static int64_t trial(int flags, const AVFrame *src, AVBufferPool *pool)
{
    struct SwsContext *s = NULL;
    int64_t least = INT64_MAX;

    av_force_cpu_flags(flags);
    if (vc_scale_open(&s, WIDTH, HEIGHT, AV_PIX_FMT_YUV420P, 0, TO_WIDTH, TO_HEIGHT, AV_PIX_FMT_YUV420P, 0, "bicubic") < 0)
        return least;
    for (int i = 0; i < TRIES; i++) {
        AVFrame *dst = av_frame_alloc();
        int64_t since = thread_time();
        int ret = dst ? vc_scale_run(s, NULL, pool, src, dst, TO_WIDTH, TO_HEIGHT, AV_PIX_FMT_YUV420P) : -1;
        int64_t took = thread_time() - since;

        av_frame_free(&dst);
        if (ret < 0) {
            least = INT64_MAX;
            break;
        }
        least = FFMIN(least, took);
    }
    sws_freeContext(s);
    return least;
}

// Chooses between libswscale's two horizontal filters, which make the same bytes. That for AVX2 gathers; on processors
// whose gathers are slow, the one before it takes half the time. libavutil knows few of them, so both are tried.
void vc_scale_tune(void)
{
    int flags = av_get_cpu_flags();
    AVFrame *src = av_frame_alloc();
    AVBufferPool *pool = NULL;

    if (flags & AV_CPU_FLAG_AVX2 && !(flags & AV_CPU_FLAG_SLOW_GATHER) && src &&
        vc_picture_alloc(src, WIDTH, HEIGHT) >= 0 &&
        vc_scale_pool(&pool, TO_WIDTH, TO_HEIGHT, AV_PIX_FMT_YUV420P) >= 0) {
        int64_t gathered = trial(flags, src, pool), plain = trial(flags | AV_CPU_FLAG_SLOW_GATHER, src, pool);
        if (gathered <= plain)
            av_force_cpu_flags(flags);
    }
    av_buffer_pool_uninit(&pool);
    av_frame_free(&src);
}

#else

void vc_scale_tune(void) {}

#endif
