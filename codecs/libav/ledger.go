//go:build cgo

package libav

import "sync/atomic"

// kind is a sort of native object.
type kind int

const (
	kindPacket kind = iota
	kindFrame
	kindCodec
	kindScaler
	kindResampler
	kindPool
	kindDemuxer
	kindFilter
	kindDevice
	kinds
)

var kindNames = [kinds]string{"packet", "frame", "codec", "scaler", "resampler", "pool", "demuxer", "filter", "device"}

var live [kinds]atomic.Int64

func count(k kind, n int64) { live[k].Add(n) }

// Ledger returns the number of live native objects by kind: those that were made and not yet freed.
func Ledger() map[string]int64 {
	m := make(map[string]int64, kinds)
	for k, name := range kindNames {
		m[name] = live[k].Load()
	}
	return m
}

// LedgerTotal returns the number of live native objects. It is 0 when everything is closed and released.
func LedgerTotal() int64 {
	var n int64
	for k := range live {
		n += live[k].Load()
	}
	return n
}
