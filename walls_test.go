package venuecast_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/venuecast/venuecast"

// wall says which folders may not import a package, and why. Paths are of the module where they do not name another.
type wall struct {
	in        string // the folder it holds for; empty: everywhere
	but       []string
	forbidden []string
	tests     bool // holds for tests, too
	why       string
}

// Imports run one way: codecs ← pipeline ← transport ← cmd.
var walls = []wall{
	{
		in: "codecs", forbidden: []string{"pipeline", "transport", "configs", "cmd"}, tests: true,
		why: "codecs say what the bits are; who knows the time and the network stands above them",
	},
	{
		in: "pipeline", forbidden: []string{"transport", "configs", "cmd"}, tests: true,
		why: "pipeline is carried by transport: it is tested without a network",
	},
	{
		in: "pipeline", forbidden: []string{"codecs/libav", "C"}, tests: true,
		why: "go test ./pipeline/... needs no FFmpeg and no C compiler",
	},
	{
		in: "pipeline", forbidden: []string{"=net", "net/http", "github.com/goccy/go-yaml", "github.com/prometheus"},
		why: "pipeline opens no sockets, reads no YAML, and reports through small interfaces",
	},
	{
		in: "transport", forbidden: []string{"configs", "cmd", "codecs/libav", "C"}, tests: true,
		why: "the static edge binary has all of transport; commands hand it options",
	},
	{
		but: []string{"cmd", "configs"}, forbidden: []string{"configs", "github.com/goccy/go-yaml"}, tests: true,
		why: "a package that takes options can be used and tested without a file",
	},
	{
		but: []string{"codecs/libav"}, forbidden: []string{"github.com/asticode/go-astiav", "C"}, tests: true,
		why: "one package binds to FFmpeg, so that its ledger counts every native object",
	},
	{
		but: []string{"transport/bus"}, forbidden: []string{"github.com/nats-io", "github.com/synadia-io"},
		why: "the rules for JetStream stand in one place",
	},
	{
		but: []string{"transport/rtsp"}, forbidden: []string{"github.com/bluenviron/gortsplib"},
		why: "cameras' quirks are met in one place",
	},
	{
		but:       []string{"cmd/internal/players"}, // a test program of its own: the binary does not carry it either
		forbidden: []string{"github.com/bluenviron/gohlslib", "github.com/Eyevinn/hls-m3u8", "github.com/stretchr", "go.uber.org/goleak"},
		why:       "these are for tests: the binary does not carry them",
	},
}

func TestImportsRunOneWay(t *testing.T) {
	eachFile(t, parser.ImportsOnly, func(path string, file *ast.File) {
		for _, imported := range imports(t, file) {
			for _, w := range broken(path, imported) {
				t.Errorf("%s imports %s: %s", path, imported, w.why)
			}
		}
	})
}

// TestNoTestSleepsForLuck lets tests sleep only in a testing/synctest bubble, where a sleep is exact and costs nothing.
func TestNoTestSleepsForLuck(t *testing.T) {
	eachFile(t, parser.SkipObjectResolution, func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") || slices.Contains(imports(t, file), "testing/synctest") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok || selector.Sel.Name != "Sleep" {
				return true
			}
			if of, ok := selector.X.(*ast.Ident); ok && of.Name == "time" {
				t.Errorf("%s calls time.Sleep: wait for what is meant, or use testing/synctest", path)
			}
			return true
		})
	})
}

// eachFile parses every Go file of the module.
func eachFile(t *testing.T, mode parser.Mode, do func(path string, file *ast.File)) {
	t.Helper()
	eachPath(t, ".go", func(path string) error {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err != nil {
			return err
		}
		do(filepath.ToSlash(path), parsed)
		return nil
	})
}

// eachPath finds the files of the module whose names end so.
func eachPath(t *testing.T, ending string, do func(path string) error) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != "." || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ending) {
			return nil
		}
		files++
		return do(path)
	}))
	require.Greater(t, files, 50, "run at the root of the module")
}

func imports(t *testing.T, file *ast.File) (paths []string) {
	t.Helper()
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		paths = append(paths, path)
	}
	return paths
}

// broken returns the walls through which an import of a file goes.
func broken(path, imported string) []wall {
	imported = strings.TrimPrefix(imported, module+"/")
	dir := path[:max(strings.LastIndex(path, "/"), 0)]
	return slices.DeleteFunc(slices.Clone(walls), func(w wall) bool {
		in := func(folder string) bool { return within(dir, folder) }
		return w.in != "" && !in(w.in) ||
			slices.ContainsFunc(w.but, in) ||
			!w.tests && strings.HasSuffix(path, "_test.go") ||
			!slices.ContainsFunc(w.forbidden, func(f string) bool { return "="+imported == f || within(imported, f) })
	})
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func TestWallsHoldAndLetThrough(t *testing.T) {
	for _, c := range []struct {
		path, imported string
		holds          bool
	}{
		{"codecs/h264/a.go", module + "/pipeline", true},
		{"codecs/h264/a_test.go", module + "/pipeline/grid", true},
		{"pipeline/a.go", module + "/codecs", false},
		{"pipeline/a.go", "net", true},
		{"pipeline/a.go", "net/url", false},
		{"pipeline/live/a_test.go", "net/http", false},
		{"pipeline/live/a.go", "C", true},
		{"transport/bus/a.go", "github.com/nats-io/nats.go", false},
		{"transport/origin/a.go", "github.com/nats-io/nats.go/jetstream", true},
		{"transport/origin/a.go", module + "/codecs/libav", true},
		{"transport/metrics/a.go", module + "/configs", true},
		{"cmd/venuecast/a.go", module + "/configs", false},
		{"cmd/venuecast/a.go", "github.com/asticode/go-astiav", true},
		{"codecs/libav/a.go", "C", false},
		{"transport/origin/a_test.go", "github.com/bluenviron/gohlslib/v2", false},
		{"transport/origin/a.go", "github.com/bluenviron/gohlslib/v2", true},
	} {
		require.Equal(t, c.holds, len(broken(c.path, c.imported)) > 0, "%s imports %s", c.path, c.imported)
	}
}

// TestTheEdgeBinaryHasNoC holds the promise of one static file for machines that only ingest or serve.
func TestTheEdgeBinaryHasNoC(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{len .CgoFiles}}", "./cmd/venuecast")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Greater(t, len(lines), 100)
	for _, line := range lines {
		imported, cgoFiles, _ := strings.Cut(line, " ")
		require.Equal(t, "0", cgoFiles, "%s has C", imported)
		require.NotEqual(t, module+"/codecs/libav", imported, "a build without C cannot link it: keep it behind the build tag cgo")
		require.False(t, strings.HasPrefix(imported, "github.com/asticode/go-astiav"), "%s binds to FFmpeg", imported)
	}
}
