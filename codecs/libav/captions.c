#include <string.h>

#include "native.h"

// Copies the captions of f (cc_data triplets, ANSI/SCTE 128 §8.1) and returns their size; 0 when there are none or too many.
int vc_captions_get(const AVFrame *f, uint8_t *data, int capacity)
{
    const AVFrameSideData *sd = av_frame_get_side_data(f, AV_FRAME_DATA_A53_CC);

    if (!sd || sd->size > (size_t)capacity)
        return 0;
    memcpy(data, sd->data, sd->size);
    return (int)sd->size;
}

// Gives this reference other captions; other references of the same picture keep theirs.
int vc_captions_set(AVFrame *f, const uint8_t *data, int size)
{
    AVFrameSideData *sd;

    av_frame_remove_side_data(f, AV_FRAME_DATA_A53_CC);
    if (size == 0)
        return 0;
    if (!(sd = av_frame_new_side_data(f, AV_FRAME_DATA_A53_CC, size)))
        return AVERROR(ENOMEM);
    memcpy(sd->data, data, size);
    return 0;
}
