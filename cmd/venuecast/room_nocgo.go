//go:build !cgo

package main

import "context"

func calibrate(context.Context) (float64, error) { return 0, errEdgeBuild }
