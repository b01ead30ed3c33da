package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"venuecast": func() { os.Exit(run(os.Args[1:])) },
		"until":     until,
	})
}

// TestCommandsSayWhatIsWrong runs the scripts of testdata/script against the binary.
func TestCommandsSayWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	testscript.Run(t, testscript.Params{
		Dir:       "testdata/script",
		Condition: func(name string) (bool, error) { return name == "cgo" && canTranscode, nil },
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "TAKEN="+taken.Addr().String())
			return nil
		},
	})
}

// until is a command of the scripts: until PATTERN PROGRAM ARGUMENTS… runs a program until a line of its standard error
// matches, tells it to end, and ends with its status.
func until() {
	pattern := regexp.MustCompile(os.Args[1])
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	late := time.AfterFunc(30*time.Second, func() {
		fmt.Fprintf(os.Stderr, "until: no line has matched %q\n", pattern)
		_ = cmd.Process.Kill()
	})
	var seen []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(os.Stderr, lines.Text())
		seen = append(seen, lines.Text())
		if pattern.MatchString(strings.Join(seen, "\n")) {
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	late.Stop()
	if err := cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "until:", err)
		os.Exit(1)
	}
}
