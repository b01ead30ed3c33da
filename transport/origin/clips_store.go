package origin

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

func (c *Clips) restore() error {
	objects, err := c.opts.Disk.List("")
	if err != nil {
		return fmt.Errorf("listing the clips: %w", err)
	}
	sizes := map[string]int64{}
	for _, o := range objects {
		sizes[o.Name] = o.Size
	}
	for name := range sizes {
		id, ok := strings.CutSuffix(name, ".json")
		if !ok {
			continue
		}
		kept, err := c.load(name)
		if err != nil || kept.ID != id {
			c.opts.Logger.Error("clip can not be read", slog.String("file", name), slog.Any("error", err))
			continue
		}
		if kept.State != ClipFailed && (kept.State != ClipReady || sizes[id+".mp4"] != kept.Bytes) {
			kept.State, kept.Bytes, kept.Progress = ClipWaiting, 0, 0
		}
		c.clips[id] = &job{Clip: kept}
		c.bytes += kept.Bytes
	}
	return c.sweep(sizes)
}

// sweep removes the files of clips that were deleted when the process ended.
func (c *Clips) sweep(sizes map[string]int64) error {
	for name := range sizes {
		id, ok := strings.CutSuffix(name, ".mp4")
		if _, described := sizes[id+".json"]; !ok || described {
			continue
		}
		if err := c.opts.Disk.Remove(name); err != nil {
			return fmt.Errorf("sweeping the clips: %w", err)
		}
	}
	return nil
}

func (c *Clips) load(name string) (kept Clip, err error) {
	file, err := c.opts.Disk.Open(name)
	if err != nil {
		return Clip{}, err
	}
	defer func() { _ = file.Close() }() // it was only read
	return kept, json.NewDecoder(io.LimitReader(file, maxClipBytes)).Decode(&kept)
}

func (c *Clips) save(kept Clip) error {
	text, err := json.Marshal(kept)
	if err == nil {
		err = c.opts.Disk.Put(kept.ID+".json", text)
	}
	if err != nil {
		return fmt.Errorf("keeping clip %s: %w", kept.ID, err)
	}
	return nil
}
