package configs

// Role is what a process does.
type Role string

// The roles. Serve is all of them in one process.
const (
	Serve     Role = "serve"
	Ingest    Role = "ingest"
	Transcode Role = "transcode"
	Publish   Role = "origin"
)

// For reports what a role needs and the configuration lacks, as Errors. One process that does all makes the rest itself.
func (c *Config) For(r Role) error {
	var errs Errors
	need := func(there bool, message string) {
		if !there {
			errs = append(errs, Error{File: c.File, Message: message})
		}
	}
	if r == Serve || r == Ingest {
		need(len(c.Feeds) > 0, "there are no feeds: want at least one under feeds")
	}
	if r == Ingest || r == Transcode {
		need(!c.NATS.URL.IsZero(), "nats.url is empty: "+string(r)+" alone needs the NATS server that the other roles use")
	}
	if r == Transcode {
		need(!c.Origin.URL.IsZero(), "origin.url is empty: transcode alone needs the origin that takes its media")
	}
	if r == Transcode || r == Publish {
		need(!c.Origin.PushToken.IsZero(), "origin.push_token is empty: "+string(r)+" alone needs the token that workers and origin share")
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}
