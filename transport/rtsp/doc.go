// Package rtsp reads cameras over RTSP and is the test camera's server. It alone imports gortsplib.
package rtsp
