package configs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/configs"
)

func TestNoPrintedFormShowsASecret(t *testing.T) {
	c, err := configs.Load("testdata/full.good.yaml", env)
	require.NoError(t, err)
	asJSON, err := json.Marshal(c)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(c)
	require.NoError(t, err)
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "config", c, "token", c.Origin.PushToken, "source", c.Feeds[0].Source)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "config", c, "token", c.Origin.PushToken, "source", c.Feeds[0].Source)
	printed := []string{string(asJSON), string(asYAML), logged.String(), configs.Explain(c)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed = append(printed, fmt.Sprintf(verb, *c), fmt.Sprintf(verb, c.Feeds[0].Source), fmt.Sprintf(verb, c.Origin.PushToken))
	}
	for _, s := range printed {
		for _, secret := range []string{password, url.UserPassword("", password).String()[1:], token} {
			require.NotContains(t, s, secret)
			require.NotContains(t, s, fmt.Sprintf("%x", secret))
		}
	}
}

func TestAPasswordFromTheEnvironmentNeedsNoEscaping(t *testing.T) {
	c, err := configs.Load("testdata/full.good.yaml", env)
	require.NoError(t, err)
	u, err := url.Parse(c.Feeds[0].Source.Reveal())
	require.NoError(t, err)
	got, _ := u.User.Password()
	require.Equal(t, password, got)
	require.Equal(t, "10.0.8.21", u.Host)
	require.Equal(t, token, c.Origin.PushToken.Reveal())
}

func TestURLsShowAllButTheirPasswords(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"rtsp://h/x":                        "rtsp://h/x",
		"rtsp://u@h/x":                      "rtsp://u@h/x",
		"rtsp://u:p%40x@h:554/x":            "rtsp://u:***@h:554/x",
		"rtsp://h/x?channel=1&Password=abc": "rtsp://h/x?channel=1&Password=***",
		"nats://u:p@a:4222,nats://b:4222":   "nats://u:***@a:4222,nats://b:4222",
		"rtsp://u:p,q@h/x":                  "rtsp://u:***@h/x",
		"rtsp://u:p#q@h/x":                  "***",
	} {
		require.Equal(t, want, configs.NewURL(in).String())
	}
}

func FuzzLoad(f *testing.F) {
	for _, path := range append(files(f, "testdata/*.yaml"), "demo.yaml", "example.yaml") {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("a: {b: ${X}\n? - x\n: |\n  y\n...\n--- !t &a *b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			t.Skip()
		}
		c, err := configs.Parse("f.yaml", text, env)
		if err != nil {
			require.NotContains(t, err.Error(), "\ue000")
			for line := range strings.SplitSeq(err.Error(), "\n") {
				require.NotContains(t, line, password)
			}
			return
		}
		require.NotContains(t, configs.Explain(c), "none:")
		for _, feed := range c.Feeds {
			require.Contains(t, c.Ladders, feed.Ladder)
			_, err := url.Parse(feed.Source.Reveal())
			require.NoError(t, err)
		}
	})
}
