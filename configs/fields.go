package configs

import (
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// More than any host carries; a bound on what a wrong file can cost.
const maxFeeds = 1000

// maxPriority is enough for a priority of its own for each feed that one worker could carry.
const maxPriority = 100

// config reads the whole file. The functions below it are the schema, in the order of the file.
func (d *decoder) config(root ast.Node) *Config {
	c := defaults()
	var references []reference
	known := fields{
		"venue":   func(n ast.Node) { c.Venue = d.id(n, "venue") },
		"data":    func(n ast.Node) { c.Data = d.text(n, "data") },
		"nats":    func(n ast.Node) { d.nats(n, &c.NATS) },
		"origin":  func(n ast.Node) { d.origin(n, &c.Origin) },
		"metrics": func(n ast.Node) { d.metrics(n, &c.Metrics) },
		"log":     func(n ast.Node) { d.log(n, &c.Log) },
		"worker":  func(n ast.Node) { d.worker(n, &c.Worker) },
		"feeds":   func(n ast.Node) { c.Feeds, references = d.feeds(n) },
		"ladders": func(n ast.Node) { d.ladders(n, c.Ladders) },
	}
	if root == nil {
		if len(d.errs) == 0 {
			d.errs = append(d.errs, Error{File: d.file, Message: "the file is empty: want at least feeds"})
		}
		return c
	}
	d.mapping(root, "the configuration", known)
	for _, r := range references {
		if _, ok := c.Ladders[r.ladder]; !ok {
			d.fail(r.at, "there is no ladder %s: %s", quote(r.at), suggest(r.ladder, slices.Sorted(maps.Keys(c.Ladders))))
		}
	}
	return c
}

// reference is a place that names a ladder, which may be described further down.
type reference struct {
	at     ast.Node
	ladder string
}

func (d *decoder) nats(n ast.Node, out *NATS) {
	d.mapping(n, "nats", fields{
		"url":      func(n ast.Node) { out.URL = d.urls(n, "nats.url", "nats", "tls", "ws", "wss") },
		"replicas": func(n ast.Node) { out.Replicas = replicas[d.oneOf(n, "nats.replicas", "1", "3", "5")] },
	})
}

var replicas = map[string]int{"1": 1, "3": 3, "5": 5}

func (d *decoder) origin(n ast.Node, out *Origin) {
	d.mapping(n, "origin", fields{
		"listen":     func(n ast.Node) { out.Listen = d.address(n, "origin.listen") },
		"push_token": func(n ast.Node) { out.PushToken = d.secret(n, "origin.push_token") },
		"url":        func(n ast.Node) { out.URL = d.url(n, "origin.url", "http", "https") },
		"tls":        func(n ast.Node) { d.tls(n, &out.TLS) },
		"disk":       func(n ast.Node) { d.disk(n, &out.Disk) },
	})
}

func (d *decoder) disk(n ast.Node, out *Disk) {
	const least, most = 100e6, 1000e12
	d.mapping(n, "origin.disk", fields{
		"dvr":   func(n ast.Node) { out.DVR = d.quantity(n, "origin.disk.dvr", "bytes", "500G", least, most) },
		"clips": func(n ast.Node) { out.Clips = d.quantity(n, "origin.disk.clips", "bytes", "64G", least, most) },
		"free":  func(n ast.Node) { out.Free = d.quantity(n, "origin.disk.free", "bytes", "5G", 1e6, most) },
	})
}

func (d *decoder) tls(n ast.Node, out *TLS) {
	before := len(d.errs)
	d.mapping(n, "origin.tls", fields{
		"cert":        func(n ast.Node) { out.Cert = d.text(n, "origin.tls.cert") },
		"key":         func(n ast.Node) { out.Key = d.text(n, "origin.tls.key") },
		"self_signed": func(n ast.Node) { out.SelfSigned = d.oneOf(n, "origin.tls.self_signed", "true", "false") == "true" },
	})
	files := out.Cert != "" && out.Key != ""
	half := !files && out.Cert+out.Key != ""
	if len(d.errs) == before && (half || files == out.SelfSigned) {
		d.fail(n, "origin.tls: want either cert and key, or self_signed: true")
	}
}

func (d *decoder) metrics(n ast.Node, out *Metrics) {
	d.mapping(n, "metrics", fields{
		"listen": func(n ast.Node) { out.Listen = d.address(n, "metrics.listen") },
	})
}

func (d *decoder) log(n ast.Node, out *Log) {
	d.mapping(n, "log", fields{
		"level":  func(n ast.Node) { out.Level = d.oneOf(n, "log.level", "debug", "info", "warn", "error") },
		"format": func(n ast.Node) { out.Format = d.oneOf(n, "log.format", "text", "json") },
	})
}

func (d *decoder) worker(n ast.Node, out *Worker) {
	d.mapping(n, "worker", fields{
		"name": func(n ast.Node) { out.Name = d.id(n, "worker.name") },
		"capacity": func(n ast.Node) {
			out.Capacity = d.quantity(n, "worker.capacity", "pixels per second", "200M", 1e6, 1e12)
		},
		"hardware": func(n ast.Node) { out.Hardware = d.oneOf(n, "worker.hardware", "auto", "never") },
	})
}

func (d *decoder) feeds(n ast.Node) (feeds []Feed, references []reference) {
	ids := map[string]bool{}
	for _, n := range d.sequence(n, "feeds", maxFeeds) {
		f := Feed{Transport: defaultTransport, Ladder: defaultLadder, Standby: defaultStandby}
		named := n
		d.mapping(n, "the feed", fields{
			"id":        func(n ast.Node) { f.ID = d.unique(n, "id", ids) },
			"source":    func(n ast.Node) { f.Source = d.url(n, "source", "rtsp", "rtsps") },
			"transport": func(n ast.Node) { f.Transport = d.oneOf(n, "transport", "tcp", "udp", "auto") },
			"priority":  func(n ast.Node) { f.Priority = d.integer(n, "priority", -maxPriority, maxPriority) },
			"standby":   func(n ast.Node) { f.Standby = d.oneOf(n, "standby", "cold", "warm") },
			"ladder":    func(n ast.Node) { f.Ladder, named = d.text(n, "ladder"), n },
		}, "id", "source")
		feeds, references = append(feeds, f), append(references, reference{named, f.Ladder})
	}
	return feeds, references
}
