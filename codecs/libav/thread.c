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

// Calls are numbered since the thread's start. Its owner writes posted and awaited, the thread done; code and failed are the
// thread's while a call is out, else the owner's.
struct VCThread {
    sem_t wanted;                // counts the calls to run
    int event;                   // an eventfd: written when the call that is waited for is done
    VCCall calls[VC_DEPTH];      // call n is in place n % VC_DEPTH
    long long posted;            // how many were posted,
    atomic_llong done, awaited;  // are done, must be done for the event
    int code;                    // of the last call that ran, or of the one that failed: none runs after it
    long long failed;            // its number
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
        return vc_decode(c->codec, c->packet, c->frames);
    case VC_SCALE:
        return vc_scale_run(c->sws, c->bicubic, c->pool, c->src, c->dst, c->width, c->height, c->format);
    case VC_ENCODE:
        ret = vc_send_picture(c->codec, c->dst, c->pts, c->type);
        return ret < 0 ? ret : vc_receive_packets(c->codec, c->packets);
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

    for (long long n = 0;; n++) {
        uint64_t one = 1;

        while (sem_wait(&t->wanted) < 0)
            ; // a signal
        if (t->code >= 0) {
            t->code = run_all(&t->calls[n % VC_DEPTH]);
            t->failed = n;
        }
        atomic_store(&t->done, n + 1);
        // Nobody reads the counter: it is the write that wakes. It would be full after 2^64 calls.
        if (atomic_load(&t->awaited) == n + 1 && write(t->event, &one, sizeof(one)) < 0)
            abort();
    }
    return NULL;
}

// Starts a thread; *event can be polled. The thread lives as long as the process.
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

// Has the thread run a call after those before it, of which fewer than VC_DEPTH may be out. All that the call points to is the
// thread's until it is done.
void vc_thread_post(VCThread *t, VCCall c)
{
    t->calls[t->posted++ % VC_DEPTH] = c;
    sem_post(&t->wanted);
}

// Says whether all calls are done. If not, and if the caller will wait, the event becomes ready when they are; it may be so
// earlier, too. Either the thread sees that somebody waits, or this function sees that the call is done.
int vc_thread_done(VCThread *t, int wait)
{
    if (wait)
        atomic_store(&t->awaited, t->posted);
    return atomic_load(&t->done) == t->posted;
}

// Returns the code of the last call, or of the one that failed and how many were posted after it. All must be done. Then calls
// run again.
VCResult vc_thread_result(VCThread *t)
{
    VCResult r = { .code = t->code };

    if (t->code < 0)
        r.left = t->posted - t->failed - 1;
    t->code = 0;
    return r;
}
