//go:build cgo

package libav

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLedgerCountsEachReference(t *testing.T) {
	before := Ledger()["frame"]
	p := pattern(t, 16, 16, 0)
	q := p.Retain()
	require.Equal(t, before+2, Ledger()["frame"])
	p.Release()
	q.Release()
	require.Equal(t, before, Ledger()["frame"])
}
