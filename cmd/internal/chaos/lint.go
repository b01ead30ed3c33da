//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// linted are the ladders that are watched. Each has I-frame playlists, which are followed, too.
var linted = []string{"live", "dvr"}

// lintFaults happen in turn while lint watches: playlists must stay within the rules.
func lintFaults() []fault {
	return []fault{
		{name: "worker killed", inject: killWorker},
		{name: "camera cut 5 s", inject: cut(5 * time.Second)},
		{name: "origin killed, away 2 s", inject: killOrigin},
	}
}

const (
	// lintRound is how long lint must watch for each fault to happen once more: a DVR's delta updates begin after 12 s.
	lintRound = 200 * time.Second
	// lintLeadIn lets more than a window of the live playlist pass before the first fault.
	lintLeadIn = 35 * time.Second
	// lintTail lets a window pass after the last.
	lintTail = 35 * time.Second
	// eventEach is how often an event is announced, so that date ranges come and go.
	eventEach = 7 * time.Second
)

// lintLive watches the playlists of a site for a time, as strict clients, while faults happen in turn.
func lintLive(ctx context.Context, dir string, b binaries, during time.Duration, log *slog.Logger) (err error) {
	if least := lintLeadIn + lintTail; during < least {
		return fmt.Errorf("lint for %v: want %v at least", during, least)
	}
	s, err := newSite(ctx, filepath.Join(dir, "site-lint"), b, single)
	if err != nil {
		return err
	}
	defer s.close()
	e := &experiment{site: s, log: log}
	if err := e.healthy(ctx); err != nil {
		return err
	}
	r := newLintRun(e)
	watching, stop := context.WithTimeout(ctx, during)
	defer stop()
	stages := []pipeline.Stage{
		pipeline.Func("pulse", func(context.Context) error { return e.pulse.Run(watching) }),
		pipeline.Func("events", func(context.Context) error { return r.announce(watching) }),
		pipeline.Func("faults", func(ctx context.Context) error { return r.inject(ctx, during) }),
	}
	for _, tree := range linted {
		stages = append(stages, pipeline.Func("lint "+tree, func(context.Context) error { return r.watch(watching, tree) }))
	}
	if err := pipeline.Run(ctx, stages...); err != nil {
		return err
	}
	fmt.Println(r.table(during))
	return errors.Join(r.keep(filepath.Join(dir, "lint.txt")), r.verdict())
}

// inject makes each fault happen as often as there is time for, evenly.
func (r *lintRun) inject(ctx context.Context, during time.Duration) error {
	list := lintFaults()
	rounds := max(int(during/lintRound), 1)
	pause := (during - lintLeadIn - lintTail) / time.Duration(rounds*len(list))
	next := time.Now().Add(lintLeadIn)
	for range rounds {
		for i := range list {
			if err := pipeline.Sleep(ctx, time.Until(next)); err != nil {
				return err
			}
			next = next.Add(pause)
			if err := r.fault(ctx, &list[i]); err != nil {
				return fmt.Errorf("%s: %w", list[i].name, err)
			}
		}
	}
	return nil
}

// fault makes one happen. While the origin is away, requests are refused, which is no breach of a rule.
func (r *lintRun) fault(ctx context.Context, f *fault) error {
	if strings.HasPrefix(f.name, "origin") {
		r.away(true)
		defer r.away(false)
	}
	r.happened(f.name)
	return f.inject(ctx, r.e)
}

// announce posts events until ctx ends. One in two lasts longer than the live window.
func (r *lintRun) announce(ctx context.Context) error {
	for n := 1; pipeline.Sleep(ctx, eventEach) == nil; n++ {
		body := fmt.Sprintf(`{"id": "event-%d", "class": "org.venuecast.chaos", "duration": %d, "data": {"number": %d}}`, n, 3+n%2*60, n)
		url := r.e.site.originURL + "/api/v1/feeds/" + feedID + "/events"
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer chaos")
		if response, err := http.DefaultClient.Do(request); err == nil { // the origin may be away
			r.announced(response.StatusCode)
			_ = response.Body.Close() // only the status says something
		}
	}
	return nil
}
