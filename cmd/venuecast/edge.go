package main

import "errors"

// errEdgeBuild is what the build without libav says when asked to transcode.
var errEdgeBuild = errors.New("this is the static edge build: it ingests and serves, but cannot transcode; make build makes one that can")
