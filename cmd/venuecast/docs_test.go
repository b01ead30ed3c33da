package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	inCode      = regexp.MustCompile("(?s)```.*?```|`[^`]*`")
	commandLine = regexp.MustCompile("(?m)(?:^|`|/| )venuecast ([a-z][^`\\n#]*)")
	flagName    = regexp.MustCompile(`--([a-z][a-z-]*)`)
)

// TestDocumentsNameCommandsAndFlagsThatExist holds command lines in the documents to what the binary takes.
func TestDocumentsNameCommandsAndFlagsThatExist(t *testing.T) {
	if !canTranscode {
		t.Skip("commands that need libav have no flags in this build")
	}
	documents, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	lines := 0
	for _, path := range append(documents, "../../README.md", "../../ARCHITECTURE.md", "../../CHANGELOG.md") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		code := strings.Join(inCode.FindAllString(string(text), -1), "\n")
		for _, m := range commandLine.FindAllStringSubmatch(code, -1) {
			lines++
			cmd, _, err := newRoot().Find(strings.Fields(m[1]))
			require.NoError(t, err, "%s: venuecast %s", path, m[1])
			require.NotEqual(t, "venuecast", cmd.Name(), "%s: venuecast %s", path, m[1])
			for _, flag := range flagName.FindAllStringSubmatch(m[1], -1) {
				require.NotNil(t, cmd.Flag(flag[1]), "%s: venuecast %s", path, m[1])
			}
		}
	}
	require.Greater(t, lines, 20)
}
