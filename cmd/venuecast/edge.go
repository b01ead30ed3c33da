package main

import "errors"

// errEdgeBuild is what the build without libav says when asked to transcode.
var errEdgeBuild = errors.New("this is the static edge build: it can ingest and serve, but not transcode; use the build with libav (make build)")
