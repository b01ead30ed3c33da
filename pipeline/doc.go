// Package pipeline says when things happen and in what order: stages, queues between them, and what they hand on.
//
// It and its subpackages open no sockets, read no YAML, use no cgo, and take time as an argument.
package pipeline
