//go:build cgo

package libav

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A machine without a driver: libav itself refuses, says why of each kind, and leaves nothing behind.
func TestWithoutADriverNoCardOpens(t *testing.T) {
	before := LedgerTotal()
	c, err := OpenCard(CardOptions{})
	if err == nil {
		c.Close()
		t.Skip("this machine has a card")
	}
	require.ErrorContains(t, err, "cuda: ")
	require.ErrorContains(t, err, "libcuda")
	require.ErrorContains(t, err, "vaapi: ")
	require.Equal(t, before, LedgerTotal())
}

func TestOnlyTheKindThatIsNamedIsTried(t *testing.T) {
	tried := []string{}
	_, err := openCard(CardOptions{Kind: "vaapi"}, cardKinds, refuseAll(&tried))
	require.EqualError(t, err, "no card opens: vaapi: not here")
	require.Equal(t, []string{"vaapi"}, tried)
	_, err = openCard(CardOptions{Kind: "abacus"}, cardKinds, refuseAll(&tried))
	require.EqualError(t, err, `card "abacus" is not known`)
}

func TestKindsAreTriedInOrderWithALimit(t *testing.T) {
	tried := []string{}
	_, err := openCard(CardOptions{}, cardKinds, refuseAll(&tried))
	require.EqualError(t, err, "no card opens: cuda: not here; vaapi: not here")
	require.Equal(t, []string{"cuda", "vaapi"}, tried)
}

func refuseAll(tried *[]string) opener {
	return func(k cardKind, limit time.Duration) (deviceRef, string) {
		if limit != 5*time.Second {
			return nil, "limit of " + limit.String()
		}
		*tried = append(*tried, k.name)
		return nil, "not here"
	}
}

// The tests below and those of card_device_test.go run in a process of its own that finds a stand-in for the driver:
// libraries are looked for where the environment said when the process began.
func TestCardsByAStandInForTheDriver(t *testing.T) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler is here to build the stand-in")
	}
	dir := t.TempDir()
	build := exec.Command(compiler, "-shared", "-fPIC", "-o", filepath.Join(dir, "libcuda.so.1"), "testdata/card/driver.c")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink("libcuda.so.1", filepath.Join(dir, "libnvcuvid.so.1")))
	run := exec.Command(os.Args[0], "-test.run=^TestDevice", "-test.v")
	run.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir, standIn+"=1")
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "--- SKIP")
	t.Logf("%d tests passed", strings.Count(string(out), "--- PASS"))
}

// standIn is set where the driver is the stand-in: what it decodes is known, and it fails when it is told to.
const standIn = "VENUECAST_TEST_CARD_STAND_IN"

func needStandIn(t *testing.T) {
	if os.Getenv(standIn) == "" {
		t.Skip("a real card, if there is one, does not fail when it is told to: see TestCardsByAStandInForTheDriver")
	}
}
