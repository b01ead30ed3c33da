#define _GNU_SOURCE // pthread_setname_np
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

struct VCThread {
    sem_t wanted;    // there is a call to run
    int event;       // an eventfd: written after each call
    atomic_int done; // the result is there
    VCCall call;
    int result;
};

static atomic_llong spent[VC_WORKS]; // in nanoseconds

long long vc_spent(int work) { return atomic_load(&spent[work]); }

static long long thread_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int run(const VCCall *c)
{
    int ret;

    switch (c->work) {
    case VC_DECODE:
        ret = avcodec_send_packet(c->codec, c->packet);
        av_packet_unref(c->packet);
        return ret;
    case VC_SCALE:
        return vc_scale_run(c->sws, c->pool, c->src, c->dst, c->width, c->height, c->format);
    case VC_ENCODE:
        return vc_send_picture(c->codec, c->dst, c->src, c->pts, c->type);
    case VC_CARD:
        return vc_card_run(c);
    }
    return AVERROR(EINVAL);
}

// Runs a call and those that follow it, up to the first that fails.
static int run_all(const VCCall *c)
{
    int ret = 0;

    for (; c && ret >= 0; c = c->next) {
        long long since = thread_time();

        ret = run(c);
        atomic_fetch_add(&spent[c->work], thread_time() - since);
    }
    return ret;
}

static void *serve(void *arg)
{
    VCThread *t = arg;

    for (;;) {
        uint64_t one = 1;

        while (sem_wait(&t->wanted) < 0)
            ; // a signal
        t->result = run_all(&t->call);
        atomic_store(&t->done, 1);
        // Nobody reads the counter: it is the write that wakes. It would be full after 2^64 calls.
        if (write(t->event, &one, sizeof(one)) < 0)
            abort();
    }
    return NULL;
}

// Starts a thread; *event can be polled and is ready after each call. The thread lives as long as the process.
// Signals are for Go's threads, but for those that a fault of this thread raises.
int vc_thread_start(VCThread **out, int *event)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    VCThread *t = calloc(1, sizeof(*t));
    pthread_t id;
    sigset_t block, before;
    int ret;

    if (!t)
        return AVERROR(ENOMEM);
    if ((t->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) {
        ret = errno;
        free(t);
        return AVERROR(ret);
    }
    sem_init(&t->wanted, 0, 0);
    sigfillset(&block);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        sigdelset(&block, faults[i]);
    pthread_sigmask(SIG_SETMASK, &block, &before);
    ret = pthread_create(&id, NULL, serve, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ret) {
        close(t->event);
        free(t);
        return AVERROR(ret);
    }
    pthread_setname_np(id, "libav");
    pthread_detach(id);
    *out = t;
    *event = t->event;
    return 0;
}

// Has the thread run a call. The one before must be done; all that the call points to is the thread's until this one is.
void vc_thread_post(VCThread *t, VCCall c)
{
    t->call = c;
    atomic_store(&t->done, 0);
    sem_post(&t->wanted);
}

// Returns 1 and the result if the call is done.
int vc_thread_done(VCThread *t, int *result)
{
    if (!atomic_load(&t->done))
        return 0;
    *result = t->result;
    return 1;
}
