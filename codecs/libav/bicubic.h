// What bicubic*.c share. All widths and positions are in samples.
#ifndef VENUECAST_BICUBIC_H
#define VENUECAST_BICUBIC_H

#include "native.h"

enum {
    BICUBIC_ROWS = 4,   // rows of output that are filtered horizontally at once
    BICUBIC_BLOCK = 64, // rows of samples are read in blocks of this many
    BICUBIC_RATIO = 3,  // of samples to outputs at most
    BICUBIC_TAPS = 4 * BICUBIC_RATIO + 1,
    BICUBIC_PAIRS = BICUBIC_TAPS / 2 + 1,
    BICUBIC_ONE = 14,  // bits of a coefficient that is 1
    BICUBIC_MORE = 6,  // bits that a sample has after the vertical filter, besides its 8
    BICUBIC_AHEAD = 4, // rows that are asked for at once at most
    BICUBIC_LANES = 16 // outputs at once at most
};

// The filter of one direction: output i is made of taps samples from first[i] on, which may lie outside: there the
// outermost sample stands for them. It goes on to a multiple of BICUBIC_LANES outputs.
typedef struct VCAxis {
    int from, to, taps;
    int *first;
    int16_t *coefficients; // taps for each output
} VCAxis;

int vc_axis_open(VCAxis *a, int from, int to);
void vc_axis_close(VCAxis *a);

// The vertical filter by pairs of rows: pair k is of rows 2k and 2k + 1. A coefficient is that of row 2k, and in its upper half
// that of the row below.
typedef struct VCDown {
    int most;    // pairs of an output row at most
    int *first;  // pair of each output row
    int *pairs;  // of each
    int32_t *coefficients; // most for each
} VCDown;

int vc_down_open(VCDown *d, const VCAxis *a);
void vc_down_close(VCDown *d);

// The horizontal filter by groups of outputs, which are multiplied pair by pair. For pair k of a group two vectors of samples
// are loaded, from first + 2k and second + 2k; index says which two neighbours of them each output takes.
typedef struct VCAcross {
    int lanes, groups, pairs;
    enum { VC_PLAIN, VC_ONE, VC_TWO } loads; // VC_PLAIN: one load, all in order; VC_ONE: only the first
    int *first, *second;                     // of each group
    int32_t *index;                          // lanes for each group
    int16_t *coefficients;                   // pairs × lanes × 2 for each group
    int stride;                              // 1; 0: all groups have the index and coefficients of the first
} VCAcross;

int vc_across_open(VCAcross *t, const VCAxis *a, int lanes);
void vc_across_close(VCAcross *t);

// Rows of the source that will be read soon.
typedef struct VCAhead {
    int count;
    const uint8_t *rows[BICUBIC_AHEAD];
} VCAhead;

// The rows that the horizontal filter reads and writes at once.
typedef const int16_t *const Rows[BICUBIC_ROWS];
typedef uint8_t *const Outputs[BICUBIC_ROWS];

// What processors do each in their own way, with the same result.
typedef struct VCKernels {
    int lanes; // outputs of the horizontal filter at once
    // Makes words of two rows, side by side, in an order of its own.
    void (*pair)(int16_t *out, const uint8_t *upper, const uint8_t *lower, int width);
    // Makes a row of words of pairs of rows, and asks for the rows of ahead.
    void (*down)(int16_t *out, const int16_t *const *rows, const int32_t *coefficients, int pairs, int width,
                 const VCAhead *ahead);
    // Makes groups first to end of some rows; out is where the first of them goes.
    void (*across)(const VCAcross *t, int first, int end, Rows in, Outputs out);
} VCKernels;

const VCKernels *vc_bicubic_avx512(void); // NULL where the processor or the system has it not
const VCKernels *vc_bicubic_avx2(void);

// The same, sample by sample, for any processor and to compare with: see bicubic_reference.c.
void vc_bicubic_reference(const VCAxis *x, const VCAxis *y, int16_t *row, const uint8_t *src, ptrdiff_t stride,
                          uint8_t *dst, ptrdiff_t to_stride);

#endif
