package configs

import (
	"maps"
	"slices"
)

// Changes is what differs between the configuration that a process runs with and one that was read later.
type Changes struct {
	Added, Removed []string // ids of feeds, sorted, as are those below
	Changed        []string // feeds that begin anew: their source, transport, standby or ladder is another
	Adjusted       []string // feeds of which only the priority or the ladder's dvr is another: they go on
	Unchanged      int      // feeds
	Restart        []string // keys that differ and take effect at a restart only
}

// Compare returns what differs in next. Ladders count where a feed uses them.
func Compare(running, next *Config) Changes {
	c := Changes{Restart: restartKeys(running, next)}
	before, after := byID(running.Feeds), byID(next.Feeds)
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if _, there := after[id]; !there {
			c.Removed = append(c.Removed, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(after)) {
		was, there := before[id]
		is := after[id]
		from, to := running.Ladders[was.Ladder].Renditions, next.Ladders[is.Ladder].Renditions
		switch {
		case !there:
			c.Added = append(c.Added, id)
		case !from.Equal(to) || !alike(was, is):
			c.Changed = append(c.Changed, id)
		case was.Priority != is.Priority || from.DVR != to.DVR:
			c.Adjusted = append(c.Adjusted, id)
		default:
			c.Unchanged++
		}
	}
	return c
}

func byID(feeds []Feed) map[string]Feed {
	by := make(map[string]Feed, len(feeds))
	for _, f := range feeds {
		by[f.ID] = f
	}
	return by
}

// alike reports whether two descriptions of a feed differ in nothing but priority and ladder.
func alike(a, b Feed) bool {
	a.Priority, a.Ladder = b.Priority, b.Ladder
	return a == b
}

func restartKeys(a, b *Config) (keys []string) {
	for _, k := range []struct {
		key  string
		same bool
	}{
		{"venue", a.Venue == b.Venue},
		{"data", a.Data == b.Data},
		{"nats.url", a.NATS.URL == b.NATS.URL},
		{"nats.replicas", a.NATS.Replicas == b.NATS.Replicas},
		{"origin.listen", a.Origin.Listen == b.Origin.Listen},
		{"origin.push_token", a.Origin.PushToken == b.Origin.PushToken},
		{"origin.url", a.Origin.URL == b.Origin.URL},
		{"origin.tls", a.Origin.TLS == b.Origin.TLS},
		{"origin.disk", a.Origin.Disk == b.Origin.Disk},
		{"metrics.listen", a.Metrics == b.Metrics},
		{"log.level", a.Log.Level == b.Log.Level},
		{"log.format", a.Log.Format == b.Log.Format},
		{"worker.name", a.Worker.Name == b.Worker.Name},
		{"worker.capacity", a.Worker.Capacity == b.Worker.Capacity},
		{"worker.hardware", a.Worker.Hardware == b.Worker.Hardware},
	} {
		if !k.same {
			keys = append(keys, k.key)
		}
	}
	return keys
}

// With returns the configuration with the feeds and ladders of next, and all else as it is.
func (c *Config) With(next *Config) *Config {
	with := *c
	with.Feeds, with.Ladders = next.Feeds, next.Ladders
	return &with
}
