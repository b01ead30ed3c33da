package configs

import _ "embed" // for the files below

// Demo is the configuration of the demo command.
//
//go:embed demo.yaml
var Demo []byte

// Example is a configuration with every key and a comment for each.
//
//go:embed example.yaml
var Example []byte
