// A stand-in for NVIDIA's driver, for machines without a card: what FFmpeg's CUDA and NVDEC code calls, in plain memory.
// It does not decode: picture n of a decoder is grey, n mod 200 above black. Scaling takes the nearest sample. What it is to do wrong it reads from the
// environment, at each call:
//
//   FAKE_CARD_OPENING=SECONDS   the driver opens so slowly
//   FAKE_CARD_REFUSES=1         it decodes no codec
//   FAKE_CARD_FAILS=N           the N-th picture of a decoder, and each after it, is an error
//   FAKE_CARD_FULL=1            there is no memory left
//
// Build: cc -shared -fPIC -o libcuda.so.1 driver.c && ln -s libcuda.so.1 libnvcuvid.so.1; LD_LIBRARY_PATH has to name the folder.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, OUT_OF_MEMORY = 2, NOT_FOUND = 500, NOT_SUPPORTED = 801, UNKNOWN = 999 };

typedef unsigned long long Address;

static int setting(const char *name)
{
    const char *value = getenv(name);
    return value ? atoi(value) : 0;
}

int cuInit(unsigned flags)
{
    sleep(setting("FAKE_CARD_OPENING"));
    return SUCCESS;
}

int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return SUCCESS; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = 512; return SUCCESS; }
int cuCtxCreate_v2(void **context, unsigned flags, int device) { *context = malloc(1); return SUCCESS; }
int cuCtxDestroy_v2(void *context) { free(context); return SUCCESS; }
int cuCtxPushCurrent_v2(void *context) { return SUCCESS; }
int cuCtxPopCurrent_v2(void **context) { return SUCCESS; }
int cuStreamSynchronize(void *stream) { return SUCCESS; }
int cuGetErrorName(int error, const char **text) { *text = "FAKE_CARD_ERROR"; return SUCCESS; }
int cuGetErrorString(int error, const char **text) { *text = "the stand-in was told to fail"; return SUCCESS; }

int cuMemAlloc_v2(Address *memory, size_t size)
{
    void *p = setting("FAKE_CARD_FULL") ? NULL : malloc(size);
    *memory = (Address)p;
    return p ? SUCCESS : OUT_OF_MEMORY;
}

int cuMemFree_v2(Address memory) { free((void *)memory); return SUCCESS; }

typedef struct Copy { // CUDA_MEMCPY2D
    size_t from_x, from_y;
    int from_type;
    const char *from_host;
    Address from_device;
    void *from_array;
    size_t from_pitch;
    size_t to_x, to_y;
    int to_type;
    char *to_host;
    Address to_device;
    void *to_array;
    size_t to_pitch;
    size_t width, height;
} Copy;

int cuMemcpy2DAsync_v2(const Copy *c, void *stream)
{
    const char *from = c->from_type == 2 ? (const char *)c->from_device : c->from_host; // CU_MEMORYTYPE_DEVICE is 2
    char *to = c->to_type == 2 ? (char *)c->to_device : c->to_host;

    for (size_t y = 0; y < c->height; y++)
        memcpy(to + y * c->to_pitch, from + y * c->from_pitch, c->width);
    return SUCCESS;
}

typedef struct Texture { // CUDA_RESOURCE_DESC, of which scale_cuda uses the type PITCH2D
    int type;
    Address memory;
    int format; // 1: 8 bits, 2: 16
    unsigned channels;
    size_t width, height, pitch;
} Texture;

int cuTexObjectCreate(Address *texture, const Texture *t, const void *how, const void *view)
{
    Texture *own = malloc(sizeof(*own));
    *own = *t;
    *texture = (Address)own;
    return SUCCESS;
}

int cuTexObjectDestroy(Address texture) { free((void *)texture); return SUCCESS; }

int cuModuleLoadData(void **module, const void *data) { *module = malloc(1); return SUCCESS; }
int cuModuleUnload(void *module) { free(module); return SUCCESS; }

// The kernels of scale_cuda that change no format, by the plane that they scale: 1 for Y, 2 for U and V.
int cuModuleGetFunction(void **function, void *module, const char *name)
{
    static const char *const known[] = { "Subsample_Bicubic_nv12_nv12", "Subsample_Bicubic_p010le_p010le" };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        size_t n = strlen(known[i]);
        if (strncmp(name, known[i], n) == 0) {
            *function = (void *)(name[n] ? 2L : 1L);
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

// Parameters: four textures, four addresses to write to, width, height and pitch of what is written, and of what is read.
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **parameters, void **extra)
{
    long plane = (long)function - 1;
    const Texture *t = (const Texture *)*(Address *)parameters[plane];
    char *to = (char *)*(Address *)parameters[4 + plane];
    int width = *(int *)parameters[8], height = *(int *)parameters[9], pitch = *(int *)parameters[10];
    size_t sample = t->format * t->channels;

    for (int y = 0; y < height; y++) {
        const char *from = (const char *)t->memory + y * t->height / height * t->pitch;
        for (int x = 0; x < width; x++)
            memcpy(to + (size_t)y * pitch + x * sample, from + x * t->width / width * sample, sample);
    }
    return SUCCESS;
}

enum { PICTURES = 64 };

typedef struct Decoder {
    unsigned long width, height;
    unsigned char *surfaces[PICTURES]; // NV12
    int decoded;
} Decoder;

typedef struct Caps { // CUVIDDECODECAPS
    int codec, chroma;
    unsigned depth, reserved[3];
    unsigned char supported, decoders;
    unsigned short formats;
    unsigned max_width, max_height, max_macroblocks;
    unsigned short min_width, min_height;
} Caps;

int cuvidGetDecoderCaps(Caps *c)
{
    c->supported = !setting("FAKE_CARD_REFUSES");
    c->max_width = c->max_height = 8192;
    c->max_macroblocks = 8192 * 8192 / 256;
    c->min_width = c->min_height = 48;
    return SUCCESS;
}

int cuvidCreateDecoder(Decoder **out, const unsigned long *sizes) // CUVIDDECODECREATEINFO begins with width and height
{
    Decoder *d = calloc(1, sizeof(*d));

    d->width = sizes[0];
    d->height = sizes[1];
    for (int i = 0; i < PICTURES; i++)
        d->surfaces[i] = malloc(d->width * d->height * 3 / 2);
    *out = d;
    return SUCCESS;
}

int cuvidDestroyDecoder(Decoder *d)
{
    for (int i = 0; i < PICTURES; i++)
        free(d->surfaces[i]);
    free(d);
    return SUCCESS;
}

int cuvidDecodePicture(Decoder *d, const int *picture) // CUVIDPICPARAMS: the third is CurrPicIdx
{
    int fails = setting("FAKE_CARD_FAILS"), n = d->decoded++;
    unsigned char *s = d->surfaces[picture[2] % PICTURES];

    if (fails && n + 1 >= fails)
        return UNKNOWN;
    memset(s, 16 + n % 200, d->width * d->height);
    memset(s + d->width * d->height, 128, d->width * d->height / 2);
    return SUCCESS;
}

int cuvidMapVideoFrame64(Decoder *d, int index, Address *memory, unsigned *pitch, void *how)
{
    *memory = (Address)d->surfaces[index % PICTURES];
    *pitch = d->width;
    return SUCCESS;
}

int cuvidUnmapVideoFrame64(Decoder *d, Address memory) { return SUCCESS; }

// FFmpeg looks for these, and the paths here do not call them.
#define UNUSED(name) int name(void) { return NOT_SUPPORTED; }
UNUSED(cuDriverGetVersion)
UNUSED(cuDeviceGetCount)
UNUSED(cuDeviceGetName)
UNUSED(cuDeviceComputeCapability)
UNUSED(cuCtxGetCurrent)
UNUSED(cuCtxSetLimit)
UNUSED(cuMemAllocPitch_v2)
UNUSED(cuMemAllocManaged)
UNUSED(cuMemsetD8Async)
UNUSED(cuMemcpy)
UNUSED(cuMemcpyAsync)
UNUSED(cuMemcpy2D_v2)
UNUSED(cuMemcpyHtoD_v2)
UNUSED(cuMemcpyHtoDAsync_v2)
UNUSED(cuMemcpyDtoH_v2)
UNUSED(cuMemcpyDtoHAsync_v2)
UNUSED(cuMemcpyDtoD_v2)
UNUSED(cuMemcpyDtoDAsync_v2)
UNUSED(cuCtxGetDevice)
UNUSED(cuDevicePrimaryCtxRetain)
UNUSED(cuDevicePrimaryCtxRelease)
UNUSED(cuDevicePrimaryCtxSetFlags)
UNUSED(cuDevicePrimaryCtxGetState)
UNUSED(cuDevicePrimaryCtxReset)
UNUSED(cuStreamCreate)
UNUSED(cuStreamQuery)
UNUSED(cuStreamDestroy_v2)
UNUSED(cuStreamAddCallback)
UNUSED(cuStreamWaitEvent)
UNUSED(cuEventCreate)
UNUSED(cuEventDestroy_v2)
UNUSED(cuEventSynchronize)
UNUSED(cuEventQuery)
UNUSED(cuEventRecord)
UNUSED(cuLinkCreate)
UNUSED(cuLinkAddData)
UNUSED(cuLinkComplete)
UNUSED(cuLinkDestroy)
UNUSED(cuModuleGetGlobal)
UNUSED(cuGLGetDevices_v2)
UNUSED(cuGraphicsGLRegisterImage)
UNUSED(cuGraphicsUnregisterResource)
UNUSED(cuGraphicsMapResources)
UNUSED(cuGraphicsUnmapResources)
UNUSED(cuGraphicsSubResourceGetMappedArray)
UNUSED(cuGraphicsResourceGetMappedPointer_v2)
UNUSED(cuArrayCreate_v2)
UNUSED(cuArray3DCreate_v2)
UNUSED(cuArrayDestroy)
UNUSED(cuvidGetDecodeStatus)
UNUSED(cuvidReconfigureDecoder)
UNUSED(cuvidCtxLockCreate)
UNUSED(cuvidCtxLockDestroy)
UNUSED(cuvidCtxLock)
UNUSED(cuvidCtxUnlock)
UNUSED(cuvidCreateVideoSource)
UNUSED(cuvidCreateVideoSourceW)
UNUSED(cuvidDestroyVideoSource)
UNUSED(cuvidSetVideoSourceState)
UNUSED(cuvidGetVideoSourceState)
UNUSED(cuvidGetSourceVideoFormat)
UNUSED(cuvidGetSourceAudioFormat)
UNUSED(cuvidCreateVideoParser)
UNUSED(cuvidParseVideoData)
UNUSED(cuvidDestroyVideoParser)
