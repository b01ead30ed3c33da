//go:build cgo

package libav

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/asticode/go-astiav"
)

var errNotBuilt = errors.New("not in this build of FFmpeg")

// openCodec allocates a context, lets set fill it in and opens it with the codec's own options.
func openCodec(
	codec *astiav.Codec, name string, options map[string]string, set func(*astiav.CodecContext) error,
) (*astiav.CodecContext, error) {
	if codec == nil {
		return nil, fmt.Errorf("%s: %w", name, errNotBuilt)
	}
	ctx := astiav.AllocCodecContext(codec)
	if ctx == nil {
		return nil, errors.New("out of memory")
	}
	count(kindCodec, 1)
	if err := configure(ctx, codec, options, set); err != nil {
		freeCodec(&ctx)
		return nil, err
	}
	return ctx, nil
}

func configure(ctx *astiav.CodecContext, codec *astiav.Codec, options map[string]string, set func(*astiav.CodecContext) error) error {
	if err := set(ctx); err != nil {
		return err
	}
	// Not through avcodec_open2's dictionary: that leaves unknown options aside without an error.
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if err := ctx.PrivateData().Options().Set(key, options[key], astiav.NewOptionSearchFlags()); err != nil {
			return fmt.Errorf("setting %s=%s: %w", key, options[key], err)
		}
	}
	return ctx.Open(codec, nil)
}

// freeCodec frees *ctx and sets it to nil. Freeing nil does nothing; so it is with freeFrame and freePacket.
func freeCodec(ctx **astiav.CodecContext) {
	if *ctx == nil {
		return
	}
	(*ctx).Free()
	*ctx = nil
	count(kindCodec, -1)
}
