//go:build cgo

package frames

import (
	"fmt"
	"os"
	"testing"

	"github.com/venuecast/venuecast/codecs/libav"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if n := libav.LedgerTotal(); n != 0 {
		fmt.Fprintf(os.Stderr, "%d native objects were not freed: %v\n", n, libav.Ledger())
		code = 1
	}
	os.Exit(code)
}
