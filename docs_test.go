package venuecast_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	target  = regexp.MustCompile("(?m)(?:^|`|\\$ )make (?:-s )?([a-z-]+)")
	named   = regexp.MustCompile("`([a-z][a-z0-9_./-]*/[a-zA-Z0-9_.-]+\\.(?:go|c|sh|js|mjs|yml|yaml|json|md))`")
	test    = regexp.MustCompile(`\b(?:Test|Benchmark)[A-Z]\w+`)
)

// TestDocumentsNameWhatExists holds the documents to the tree: links with their anchors, files, targets of make, and tests.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests := map[string]bool{}
	eachPath(t, "_test.go", func(path string) error {
		for _, name := range test.FindAllString(read(t, path), -1) {
			tests[name] = true
		}
		return nil
	})
	makefile := read(t, "Makefile")
	documents, err := filepath.Glob("*.md")
	require.NoError(t, err)
	more, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	for _, path := range append(documents, more...) {
		text := read(t, path)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			checkLink(t, path, m[1])
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			require.FileExists(t, m[1], path)
		}
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			require.Contains(t, makefile, "\n"+m[1]+":", "%s names make %s", path, m[1])
		}
		for _, name := range test.FindAllString(text, -1) {
			require.True(t, tests[name], "%s names %s", path, name)
		}
	}
	require.NotEmpty(t, documents)
	require.NotEmpty(t, more)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func checkLink(t *testing.T, path, to string) {
	t.Helper()
	if strings.Contains(to, "://") {
		return
	}
	file, anchor, _ := strings.Cut(to, "#")
	at := path
	if file != "" {
		at = filepath.Join(filepath.Dir(path), file)
	}
	_, err := os.Stat(at)
	require.NoError(t, err, "%s links to %s", path, to)
	if anchor == "" {
		return
	}
	anchors := []string{}
	for _, m := range heading.FindAllStringSubmatch(read(t, at), -1) {
		anchors = append(anchors, strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"))
	}
	require.Contains(t, anchors, anchor, "%s links to %s", path, to)
}
