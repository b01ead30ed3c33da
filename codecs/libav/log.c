#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/log.h>
#include <libavutil/time.h>

#include "_cgo_export.h"
#include "native.h"

enum { LINE_SIZE = 1024, LINES_PER_SECOND = 50 };

// Set while this thread opens something and wants the reason of a refusal instead of a log line.
static _Thread_local int capturing;
static _Thread_local char captured[LINE_SIZE];
static _Thread_local int captured_level;

static atomic_llong second;
static atomic_int in_second;

// Whether one more line may pass in this second. A race at the turn of a second lets a few more through, which is harmless.
static int within_rate(void)
{
    long long now = av_gettime_relative() / 1000000;
    if (atomic_exchange(&second, now) != now)
        atomic_store(&in_second, 0);
    return atomic_fetch_add(&in_second, 1) < LINES_PER_SECOND;
}

// Keeps the first error, which is the cause of later ones, or else the last line that says what was tried.
static void capture(int level, const char *line)
{
    if (level > AV_LOG_VERBOSE || level > captured_level || (level == captured_level && level <= AV_LOG_ERROR))
        return;
    captured_level = level;
    snprintf(captured, sizeof(captured), "%s", line);
}

static void on_log(void *object, int level, const char *format, va_list args)
{
    char line[LINE_SIZE];
    AVClass *class = object ? *(AVClass **)object : NULL;
    int n = 0;

    level &= 0xff; // the upper bits are a tint
    if (!capturing && (level > av_log_get_level() || !within_rate()))
        return;
    if (!capturing && class && class->item_name)
        n = snprintf(line, sizeof(line), "%s: ", class->item_name(object));
    if (n < 0 || n >= (int)sizeof(line))
        n = 0;
    vsnprintf(line + n, sizeof(line) - n, format, args);
    line[strcspn(line, "\r\n")] = 0;
    if (capturing)
        capture(level, line);
    else
        goLog(level, line);
}

void vc_log_install(void)
{
    setenv("SVT_LOG", "1", 0); // SVT-AV1 writes to standard error itself: errors only
    av_log_set_level(AV_LOG_WARNING);
    av_log_set_callback(on_log);
}

void vc_log_capture(void)
{
    captured[0] = 0;
    captured_level = AV_LOG_MAX_OFFSET;
    capturing = 1;
}

// Ends the capture and returns the length of the line that was kept.
int vc_log_captured(char *line, int size)
{
    capturing = 0;
    return snprintf(line, size, "%s", captured);
}
