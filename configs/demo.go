package configs

import _ "embed" // for the files below

//go:embed demo.yaml
var demo []byte

// Example is a configuration with every key and a comment for each.
//
//go:embed example.yaml
var Example []byte

// Demo says where the demonstration keeps its data and which addresses it uses.
type Demo struct {
	Data    string // folder
	Origin  string // host:port
	Metrics string // host:port
	Camera  string // RTSP URL
}

// Config returns the configuration of demo.yaml with these addresses.
func (d Demo) Config() (*Config, error) {
	values := map[string]string{
		"DEMO_DATA": d.Data, "DEMO_ORIGIN": d.Origin, "DEMO_METRICS": d.Metrics, "DEMO_CAMERA": d.Camera,
	}
	return Parse("configs/demo.yaml", demo, func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	})
}
