//go:build cgo

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

// openNATS starts NATS servers, in a cluster when there are several.
func (s *site) openNATS(n int) error {
	var client, routes []string
	for range n {
		for _, list := range []*[]string{&client, &routes, &s.monitors} {
			a, err := freeAddress()
			if err != nil {
				return err
			}
			*list = append(*list, a)
		}
	}
	for i := range n {
		name := fmt.Sprintf("nats-%d", i+1)
		config := filepath.Join(s.dir, name+".conf")
		text := fmt.Sprintf("server_name: %s\nlisten: %q\nhttp: %q\nmax_payload: 8MB\njetstream {store_dir: %q, max_file_store: 2GB}\n",
			name, client[i], s.monitors[i], filepath.Join(s.dir, name))
		if n > 1 {
			text += fmt.Sprintf("cluster {name: chaos, listen: %q, routes: [%s]}\n", routes[i], "nats://"+strings.Join(routes, ", nats://"))
		}
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return err
		}
		p, err := newProgram(s.dir, name, s.binaries.nats, "-c", config)
		if err != nil {
			return err
		}
		if err := p.start(s.ctx); err != nil {
			return err
		}
		s.nats, s.natsURLs = append(s.nats, p), append(s.natsURLs, "nats://"+client[i])
	}
	return s.awaitNATS()
}

// awaitNATS waits until JetStream of every server says that it is healthy.
func (s *site) awaitNATS() error {
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	for _, m := range s.monitors {
		for {
			err := get(ctx, "http://"+m+"/healthz", nil)
			if err == nil {
				break
			}
			if pipeline.Sleep(ctx, 100*time.Millisecond) != nil {
				return fmt.Errorf("NATS is not ready: %w", err)
			}
		}
	}
	return nil
}

// leader returns the server that leads the feed's stream.
func (s *site) leader(ctx context.Context) (*program, error) {
	var jsz struct {
		Accounts []struct {
			Streams []struct {
				Name    string `json:"name"`
				Cluster struct {
					Leader string `json:"leader"`
				} `json:"cluster"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	for _, m := range s.monitors {
		if err := get(ctx, "http://"+m+"/jsz?streams=true", &jsz); err != nil {
			return nil, err
		}
		for _, a := range jsz.Accounts {
			for _, stream := range a.Streams {
				for _, p := range s.nats {
					if stream.Name == "FEED_"+feedID && stream.Cluster.Leader == p.name {
						return p, nil
					}
				}
			}
		}
	}
	return nil, errors.New("nobody leads the feed's stream")
}

// get reads JSON over HTTP. into may be nil.
func get(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(into)
}
