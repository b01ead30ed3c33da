package configs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/configs"
)

const running = `venue: arena
data: /data
nats: {url: "nats://u:p@a:4222"}
origin: {listen: "127.0.0.1:1", push_token: secret, url: "http://o"}
metrics: {listen: "127.0.0.1:2"}
log: {level: info, format: text}
worker: {name: w, capacity: 200M, hardware: auto}
feeds:
  - {id: a, source: "rtsp://u:p@10.0.0.1/s"}
  - {id: b, source: "rtsp://10.0.0.2/s", ladder: small}
  - {id: c, source: "rtsp://10.0.0.3/s", ladder: small}
ladders:
  small: {video: [{name: 360p, height: 360, bitrate: 500k}]}
  spare: {video: [{name: 360p, height: 360, bitrate: 500k}]}
`

func TestCompareSaysWhatChangedAndWhatNeedsARestart(t *testing.T) {
	for name, c := range map[string]struct {
		change string // old=>new, separated by |
		want   configs.Changes
	}{
		"nothing":   {"", configs.Changes{Unchanged: 3}},
		"order":     {`  - {id: a, source: "rtsp://u:p@10.0.0.1/s"}` + "\n=>|ladders:\n=>" + `  - {id: a, source: "rtsp://u:p@10.0.0.1/s"}` + "\nladders:\n", configs.Changes{Unchanged: 3}},
		"added":     {"ladders:\n=>" + `  - {id: e, source: "rtsp://e/s"}` + "\n" + `  - {id: d, source: "rtsp://d/s"}` + "\nladders:\n", configs.Changes{Added: []string{"d", "e"}, Unchanged: 3}},
		"removed":   {`  - {id: b, source: "rtsp://10.0.0.2/s", ladder: small}` + "\n=>", configs.Changes{Removed: []string{"b"}, Unchanged: 2}},
		"renamed":   {`{id: b,=>{id: z,`, configs.Changes{Added: []string{"z"}, Removed: []string{"b"}, Unchanged: 2}},
		"source":    {`10.0.0.2=>10.0.0.9`, configs.Changes{Changed: []string{"b"}, Unchanged: 2}},
		"password":  {`u:p@10=>u:q@10`, configs.Changes{Changed: []string{"a"}, Unchanged: 2}},
		"transport": {`0.1/s"=>0.1/s", transport: udp`, configs.Changes{Changed: []string{"a"}, Unchanged: 2}},
		"standby":   {`0.1/s"=>0.1/s", standby: warm`, configs.Changes{Changed: []string{"a"}, Unchanged: 2}},
		"priority":  {`0.1/s"=>0.1/s", priority: 3`, configs.Changes{Adjusted: []string{"a"}, Unchanged: 2}},
		"both":      {`0.1/s"=>0.2/s", priority: 3`, configs.Changes{Changed: []string{"a"}, Unchanged: 2}},
		"defaults":  {`0.1/s"=>0.1/s", priority: 0, standby: cold, transport: tcp, ladder: hd`, configs.Changes{Unchanged: 3}},
		"ladder":    {`small: {video: [{name: 360p, height: 360, bitrate: 500k=>small: {video: [{name: 360p, height: 360, bitrate: 600k`, configs.Changes{Changed: []string{"b", "c"}, Unchanged: 1}},
		"dvr":       {`small: {=>small: {dvr: 2h, `, configs.Changes{Adjusted: []string{"b", "c"}, Unchanged: 1}},
		"the ladder of nobody": {
			`spare: {video: [{name: 360p, height: 360, bitrate: 500k=>spare: {video: [{name: 360p, height: 360, bitrate: 600k`, configs.Changes{Unchanged: 3},
		},
		"a ladder by another name": {`0.2/s", ladder: small=>0.2/s", ladder: spare`, configs.Changes{Unchanged: 3}},
		"hd described":             {`  spare: => ` + ` hd: `, configs.Changes{Changed: []string{"a"}, Unchanged: 2}},
		"keys of a restart": {
			`arena=>hall|/data=>/d|a:4222"}=>b:4222", replicas: 3}|:1"=>:3"|push_token: secret=>push_token: other` +
				`|//o"=>//p", tls: {self_signed: true}, disk: {dvr: 5G}|:2"=>:4"|level: info=>level: warn|format: text=>format: json` +
				`|name: w,=>name: v,|200M=>300M|hardware: auto=>hardware: never`,
			configs.Changes{Unchanged: 3, Restart: []string{
				"venue", "data", "nats.url", "nats.replicas", "origin.listen", "origin.push_token", "origin.url", "origin.tls",
				"origin.disk", "metrics.listen",
				"log.level", "log.format", "worker.name", "worker.capacity", "worker.hardware",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, next := parse(t, running), running
			for change := range strings.SplitSeq(c.change, "|") {
				old, now, _ := strings.Cut(change, "=>")
				require.Contains(t, next, old)
				next = strings.Replace(next, old, now, 1)
			}
			after := parse(t, next)
			require.Equal(t, c.want, configs.Compare(before, after))

			applied := before.With(after)
			require.Equal(t, configs.Changes{Unchanged: len(after.Feeds), Restart: c.want.Restart}, configs.Compare(applied, after), "once applied")
			require.Equal(t, parse(t, running), before, "it is left alone")
		})
	}
}

func parse(t *testing.T, text string) *configs.Config {
	t.Helper()
	c, err := configs.Parse("venue.yaml", []byte(text), func(string) (string, bool) { return "", false })
	require.NoError(t, err, text)
	return c
}
