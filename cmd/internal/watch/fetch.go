package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/venuecast/venuecast/pipeline"
)

const (
	// maxBody bounds what is read of one answer.
	maxBody = 64 << 20
	// retryAfter is the pause before a request is made again.
	retryAfter = 250 * time.Millisecond
)

// statusError is an answer that is not 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// permanent reports whether a player would give up: the server is there and says that the media are not (4xx).
func permanent(err error) bool {
	var status statusError
	return errors.As(err, &status) && status >= 400 && status < 500
}

// get fetches a URL once.
func get(ctx context.Context, client *http.Client, u *url.URL, limit time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", u, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", u, err)
	}
	defer func() { _ = response.Body.Close() }() // it is read to its end
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("getting %s: %w", u, statusError(response.StatusCode))
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", u, err)
	}
	return data, nil
}

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) {
	_ = pipeline.Sleep(ctx, d) // who calls looks at the context
}
