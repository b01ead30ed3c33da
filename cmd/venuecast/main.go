// Command venuecast turns the cameras of a venue into HLS ladders.
//
// One binary has all roles: ingest, transcode, origin, or all of them with serve. See venuecast --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker.
var version = "development"

func main() {
	stayAwake(os.Args[1:])
	os.Exit(run(os.Args[1:]))
}

// run runs one command and returns the exit status: 1 after any user error, which is one clear line each.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return 0
	}
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintln(os.Stderr, "venuecast: "+line)
		}
	}
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "venuecast",
		Short:         "Live venue cameras in over RTSP, adaptive HLS ladders out",
		Example:       "  venuecast demo\n  venuecast serve -c venue.yaml",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("venuecast {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newServe(), newIngest(), newTranscode(), newOrigin(),
		newDemo(), newCamera(), newCheck(), newProbe(), newLint(), newLoad(), newBench(), newVersion(), newChild(), newBenchRun(),
	)
	root.AddCommand(newBenchParts()...)
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version and what this build can do",
		Example: "  venuecast version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "venuecast %s\n%s\n", version, capabilities())
			return err
		},
	}
}
