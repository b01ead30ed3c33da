package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The requests of this file are answered by a stream's leader only, never by a follower that lags behind:
// decisions about who may write rest on them.

// storedMessage is a message of a stream as its leader has it.
type storedMessage struct {
	Seq    uint64 `json:"seq"`
	Header []byte `json:"hdrs"` // base64 in JSON
	Data   []byte `json:"data"`
}

// header returns the message's headers, none if they cannot be read.
func (m storedMessage) header() nats.Header {
	if len(m.Header) == 0 {
		return nil
	}
	h, err := nats.DecodeHeadersMsg(m.Header)
	if err != nil {
		return nil
	}
	return h
}

// streamState returns the sequence number of the last message that a stream has ever stored, and how many bytes it may hold.
func (c *Conn) streamState(ctx context.Context, stream string) (last uint64, size int64, err error) {
	var info struct {
		Config struct {
			MaxBytes int64 `json:"max_bytes"`
		} `json:"config"`
		State struct {
			LastSeq uint64 `json:"last_seq"`
		} `json:"state"`
	}
	err = c.api(ctx, "$JS.API.STREAM.INFO."+stream, nil, &info)
	return info.State.LastSeq, info.Config.MaxBytes, err
}

// lastSequence returns the sequence number of the last message that a stream has ever stored.
func (c *Conn) lastSequence(ctx context.Context, stream string) (uint64, error) {
	last, _, err := c.streamState(ctx, stream)
	return last, err
}

// lastMessage returns the newest message on a subject, ErrNotFound if there is none.
func (c *Conn) lastMessage(ctx context.Context, stream, subject string) (storedMessage, error) {
	var answer struct {
		Message storedMessage `json:"message"`
	}
	request := struct {
		Last string `json:"last_by_subj"`
	}{subject}
	err := c.api(ctx, "$JS.API.STREAM.MSG.GET."+stream, request, &answer)
	if isAPIError(err, jetstream.JSErrCodeMessageNotFound) {
		return storedMessage{}, ErrNotFound
	}
	return answer.Message, err
}

// api sends a request to JetStream. The context must have a time limit. An error of JetStream is a *jetstream.APIError.
func (c *Conn) api(ctx context.Context, subject string, request, answer any) error {
	var body []byte
	if request != nil {
		var err error
		if body, err = json.Marshal(request); err != nil {
			return fmt.Errorf("asking JetStream: %w", err)
		}
	}
	reply, err := c.nc.RequestWithContext(ctx, subject, body)
	if err != nil {
		return fmt.Errorf("asking JetStream: %w", err)
	}
	var failure struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply.Data, &failure); err != nil {
		return fmt.Errorf("reading JetStream's answer: %w", err)
	}
	if failure.Error != nil {
		return failure.Error
	}
	if err := json.Unmarshal(reply.Data, answer); err != nil {
		return fmt.Errorf("reading JetStream's answer: %w", err)
	}
	return nil
}

func isAPIError(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}
