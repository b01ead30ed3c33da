package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/venuecast/venuecast/pipeline/rules"
)

// TestRulesAreListedAndChecked holds the tables against the code: every rule is reported somewhere, and nothing else is.
func TestRulesAreListedAndChecked(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	listed := map[string]bool{}
	for _, r := range rules.All() {
		require.Regexp(t, form, r.ID)
		require.False(t, listed[r.ID], "%s is listed twice", r.ID)
		require.NotEmpty(t, r.Source, r.ID)
		require.True(t, strings.HasSuffix(r.Text, "."), r.ID)
		require.Contains(t, []rules.Severity{rules.Must, rules.Should}, r.Severity)
		listed[r.ID] = true
		found, ok := rules.Find(r.ID)
		require.True(t, ok)
		require.Equal(t, r, found)
	}
	require.Greater(t, len(listed), 100)
	checked := literals(t, form)
	for id := range listed {
		require.True(t, checked[id], "%s is listed and never reported", id)
	}
}

// TestWhatIsReportedIsListed looks at each call of found.
func TestWhatIsReportedIsListed(t *testing.T) {
	calls := 0
	eachFile(t, func(name string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || f.Sel.Name != "found" {
				return true
			}
			if id, ok := call.Args[0].(*ast.BasicLit); ok {
				text, err := strconv.Unquote(id.Value)
				require.NoError(t, err)
				_, listed := rules.Find(text)
				require.True(t, listed, "%s reports %s", name, text)
				calls++
			}
			return true
		})
	})
	require.Greater(t, calls, 80)
}

// literals returns the strings of a form that stand in code, but for the tables.
func literals(t *testing.T, form *regexp.Regexp) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	eachFile(t, func(name string, file *ast.File) {
		if strings.HasSuffix(name, "_rules.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && form.MatchString(text) {
					all[text] = true
				}
			}
			return true
		})
	})
	return all
}

func eachFile(t *testing.T, do func(name string, file *ast.File)) {
	t.Helper()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		do(entry.Name(), file)
	}
}
