//go:build cgo

package frames

import (
	"bytes"
	"fmt"
	"time"

	"github.com/venuecast/venuecast/cmd/internal/watch"
	"github.com/venuecast/venuecast/codecs"
	"github.com/venuecast/venuecast/codecs/cmaf"
	"github.com/venuecast/venuecast/codecs/libav"
)

// Beeps decodes a recorded audio rendition and returns the times at which beeps begin.
func Beeps(r watch.Recording) ([]time.Time, error) {
	d := audioReader{}
	defer d.close()
	for i := range r {
		if err := d.piece(&r[i]); err != nil {
			return nil, fmt.Errorf("decoding segment %d: %w", r[i].MSN, err)
		}
	}
	return d.onsets.times, nil
}

type audioReader struct {
	init    []byte
	info    cmaf.InitInfo
	decoder *libav.AudioDecoder
	onsets  onsets
}

func (d *audioReader) piece(p *watch.Piece) error {
	if err := d.follow(p.Init); err != nil {
		return err
	}
	list, err := readTimed(p, d.info.Timescale)
	if err != nil {
		return err
	}
	for i := range list {
		// An AAC frame decodes to the samples of its own time, at once.
		at := list[i].shown
		err := d.decoder.Decode(codecs.AccessUnit{RandomAccess: true, Data: list[i].sample.Data}, func(pcm codecs.PCM) error {
			d.onsets.listen(pcm[0], at)
			at = at.Add(time.Duration(pcm.Len()) * time.Second / libav.SampleRate)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *audioReader) follow(init []byte) (err error) {
	if bytes.Equal(d.init, init) {
		return nil
	}
	d.close()
	if d.info, err = cmaf.ParseInit(init); err != nil {
		return err
	}
	d.init = init
	d.decoder, err = libav.NewAudioDecoder(codecs.Format{
		Codec: d.info.Codec, SampleRate: d.info.SampleRate, Channels: d.info.Channels, Config: d.info.Config,
	})
	return err
}

func (d *audioReader) close() {
	if d.decoder != nil {
		d.decoder.Close()
		d.decoder = nil
	}
}
