package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/venuecast/venuecast/pipeline"
)

// gstreamer is playbin3 with hlsdemux2, by gst.py.
type gstreamer struct{ script, dir string }

func (g *gstreamer) version(ctx context.Context) (string, error) {
	out, err := program{args: []string{g.script, "--version"}}.output(ctx)
	return word(out), err
}

func (g *gstreamer) play(ctx context.Context, url string, r *recorder) error {
	commands, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer commands.Close() // the process has its own
	p := program{name: "gstreamer", dir: g.dir, args: []string{g.script, url}, stdin: commands}
	return p.read(ctx,
		func(out io.Reader) error { return messages(out, r) },
		pipeline.Func("commands", func(ctx context.Context) error { return forward(ctx, in, r) }))
}

// messages records what a player says, a JSON document a line.
func messages(out io.Reader, r *recorder) error {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, maxMessage)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			return fmt.Errorf("%w: %s", err, lines.Text())
		}
		m.record(r)
	}
	return lines.Err()
}

// forward hands commands on, a line each.
func forward(ctx context.Context, in io.WriteCloser, r *recorder) error {
	defer in.Close() // the player has ended
	for {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return nil
		}
		for _, c := range r.commands() {
			if _, err := fmt.Fprintln(in, c); err != nil {
				return err
			}
		}
	}
}
