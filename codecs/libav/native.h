// What go-astiav does not offer. All functions return 0 or a libav error code unless they say otherwise.
#ifndef VENUECAST_NATIVE_H
#define VENUECAST_NATIVE_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavutil/buffer.h>
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>
#include <libavutil/imgutils.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

// AVERROR() is a macro with an argument, which cgo cannot call.
enum { VC_EAGAIN = AVERROR(EAGAIN), VC_ENOMEM = AVERROR(ENOMEM), VC_EINVAL = AVERROR(EINVAL),
       VC_EIO = AVERROR(EIO), VC_ENODEV = AVERROR(ENODEV), VC_ENOSYS = AVERROR(ENOSYS) };

// log.c
void vc_log_install(void);
void vc_log_capture(void);
int vc_log_captured(char *line, int size);

// picture.c
int vc_picture_alloc(AVFrame *f, int width, int height);
void vc_picture_write(AVFrame *f, int plane, const uint8_t *data, int width, int height);
void vc_picture_read(const AVFrame *f, int plane, uint8_t *data, int width, int height);

// codec.c
int vc_fill_packet(AVPacket *p, const uint8_t *data, int size, int64_t pts);
int vc_send_data(AVCodecContext *c, AVPacket *p, const uint8_t *data, int size, int64_t pts);
int vc_send_picture(AVCodecContext *c, AVFrame *f, int64_t pts, int type);
enum { VC_LIST = 4 };
typedef struct VCPackets { // what an encoder has put out
    int count;             // at VC_LIST there may be more to receive
    AVPacket *packet[VC_LIST];
} VCPackets;
int vc_receive_packets(AVCodecContext *c, VCPackets *out);
typedef struct VCFrames { // what a decoder has put out
    int count;
    int code; // of the receive call after them; 0: there may be more to receive
    AVFrame *frame[VC_LIST];
} VCFrames;
int vc_decode(AVCodecContext *c, AVPacket *p, VCFrames *out);
void vc_receive_frames(AVCodecContext *c, VCFrames *out);
int vc_send_sound(AVCodecContext *c, AVFrame *scratch, const float *left, const float *right, int64_t pts);

// scale.c
int vc_scale_format(const AVFrame *f, int *full_range);
int vc_scale_check_flags(const char *flags);
void vc_scale_tune(void);
int vc_scale_open(struct SwsContext **out, int width, int height, int format, int full_range,
                  int to_width, int to_height, int to_format, int to_full_range, const char *flags);
int vc_scale_pool(AVBufferPool **out, int width, int height, int format);
typedef struct VCBicubic VCBicubic;
int vc_scale_run(struct SwsContext *s, const VCBicubic *b, AVBufferPool *pool, const AVFrame *src, AVFrame *dst,
                 int width, int height, int format);

// bicubic.c
enum { VC_BICUBIC_BEST, VC_BICUBIC_AVX512, VC_BICUBIC_AVX2, VC_BICUBIC_REFERENCE, VC_BICUBIC_NEVER };
int vc_bicubic_open(VCBicubic **out, int width, int height, int to_width, int to_height, int path);
void vc_bicubic_run(const VCBicubic *b, const AVFrame *src, AVFrame *dst);
void vc_bicubic_close(VCBicubic *b);

int vc_picture_from_pool(AVFrame *dst, AVBufferPool *pool, int width, int height, int format);

// filter.c
enum { VC_TICKS = 90000 };
int vc_filter_open(AVFilterGraph **out, AVFilterContext **src, AVFilterContext **sink, const AVFrame *f, const char *chain,
                   int held);
int vc_filter_push(AVFilterContext *src, AVFrame *f);
int vc_filter_pull(AVFilterContext *sink, AVFrame *f);
int vc_is_interlaced(const AVFrame *f);
int vc_is_hdr(const AVFrame *f);
void vc_complete_hdr(AVFrame *f);

// jpeg.c
int vc_jpeg_matrix(const AVFrame *f, int unsaid);
int vc_jpeg_open(struct SwsContext **out, int width, int height, int format, int full_range, int matrix,
                 int to_width, int to_height);
int vc_jpeg_scale(struct SwsContext *s, const AVFrame *src, AVFrame *dst, int width, int height);
void vc_jpeg_quality(AVCodecContext *c, int quality);
int vc_jpeg_send(AVCodecContext *c, AVFrame *f, int64_t pts);

// captions.c
int vc_captions_get(const AVFrame *f, uint8_t *data, int capacity);
int vc_captions_set(AVFrame *f, const uint8_t *data, int size);

// thread.c
enum { VC_DECODE, VC_SCALE, VC_ENCODE, VC_CARD, VC_WORKS };
typedef struct VCThread VCThread;
typedef struct VCCall { // vc_decode, vc_scale_run, vc_card_run, or vc_send_picture and vc_receive_packets, and what it is given
    int work;           // VC_DECODE, VC_SCALE, VC_CARD or VC_ENCODE
    AVCodecContext *codec;
    AVPacket *packet;   // emptied when it has been sent
    VCFrames *frames;   // filled anew
    VCPackets *packets; // added to
    const AVFrame *src;
    AVFrame *dst; // emptied when it has been sent to an encoder
    int64_t pts;
    int type;
    struct SwsContext *sws;
    const VCBicubic *bicubic; // instead of sws, unless it is NULL
    AVBufferPool *pool;
    int width, height, format;
    AVFilterContext *in, *out; // a card's filters; NULL to copy its picture into memory
    const struct VCCall *next; // run after it if it did not fail; NULL: none
} VCCall;
enum { VC_DEPTH = 2 }; // calls that may wait for one thread
typedef struct VCResult {
    int code, left;
} VCResult;
int vc_thread_start(VCThread **out, int *event);
void vc_thread_post(VCThread *t, VCCall c);
int vc_thread_done(VCThread *t, int wait);
VCResult vc_thread_result(VCThread *t);
long long vc_spent(int work);

// card.c
int vc_card_open(AVBufferRef **device, int type, int limit, char *reason, int size);
int vc_card_pool(AVBufferRef **out, AVBufferRef *device, int surface, int format, int width, int height, int count);
int vc_card_decodes(AVCodecContext *c, AVBufferRef *device, int extra);
int vc_card_encodes(AVCodecContext *c, AVBufferRef *pool);
int vc_card_format(const AVFrame *f);
int vc_card_holds(AVBufferRef *device, const AVFrame *f);
int vc_card_run(const VCCall *c);

// sound.c
int vc_resample_open(struct SwrContext **out, const AVFrame *f);
int vc_resample_run(struct SwrContext *s, const AVFrame *f, float *left, float *right, int capacity);

#endif
